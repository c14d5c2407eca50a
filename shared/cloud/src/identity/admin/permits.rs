//! Permits.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use shared::identity::{
    Direction, Domain,
    scope::{Approval, Permit},
};

use super::{
    super::{direction::to_sort_key, permits::write_approval},
    error::Error,
    tables::{Admin, require_found},
};
use crate::vault::{s, service_error};

/// The side of a direction that an approval is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The source domain's owner grants.
    Grant,
    /// The target domain's owner accepts.
    Accept,
}

impl Side {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Grant => "granted",
            Self::Accept => "accepted",
        }
    }

    const fn domain(self, direction: Direction) -> Domain {
        match self {
            Self::Grant => direction.from,
            Self::Accept => direction.to,
        }
    }
}

impl Admin {
    /// Approves a direction for a client, on one side and in the name of `owner`, that domain's
    /// owner.
    pub async fn approve(&self, client_id: &str, direction: Direction, side: Side, owner: &str, approval: Approval) -> Result<(), Error> {
        self.require_owner(side.domain(direction), owner).await?;
        if self.clients.find(&self.vault, client_id).await?.is_none() {
            return Err(Error::NotFound(format!("client {client_id}")));
        }
        let update = self.update_permit(client_id, direction).update_expression("SET #side = :approval");
        let update = update.expression_attribute_names("#side", side.attribute());
        let update = update.expression_attribute_values(":approval", write_approval(approval));
        update.send().await.map_err(service_error("DynamoDB"))?;
        Ok(())
    }

    /// Revokes an approval. It is effective when the client's current token expires.
    pub async fn revoke(&self, client_id: &str, direction: Direction, side: Side, owner: &str) -> Result<(), Error> {
        self.require_owner(side.domain(direction), owner).await?;
        let update = self.update_permit(client_id, direction);
        let update = update.update_expression("REMOVE #side").condition_expression("attribute_exists(#side)");
        let update = update.expression_attribute_names("#side", side.attribute());
        require_found(update.send().await.map_err(service_error("DynamoDB")), || {
            format!("such approval for {client_id} from {} to {}", direction.from, direction.to)
        })
    }

    /// A client's permits.
    pub async fn permits(&self, client_id: &str) -> Result<Vec<(Direction, Permit)>, Error> {
        Ok(self.permits.list(&self.vault, client_id).await?)
    }

    async fn require_owner(&self, domain: Domain, expected: &str) -> Result<(), Error> {
        let owner = self.owner(domain).await?;
        if owner == expected { Ok(()) } else { Err(Error::NotTheOwner { domain, owner }) }
    }

    fn update_permit(&self, client_id: &str, direction: Direction) -> UpdateItemFluentBuilder {
        let update = self.vault.dynamo().update_item().table_name(self.permits.table());
        update.key("client_id", s(client_id)).key("direction", s(to_sort_key(direction)))
    }
}
