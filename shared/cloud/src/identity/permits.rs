//! Permits, as they are stored: by client and direction, the approvals of both domains' owners.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::identity::{
    Direction, Scopes,
    scope::{Approval, Permit},
};

use super::{direction, error::Error, setting::Table};
use crate::{
    setting::Environment,
    vault::{self, Item, Query, Vault, n, optional_number, string},
};

/// The table of permits.
pub(super) struct Permits {
    table: String,
}

impl Permits {
    /// Finds the table.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        Ok(Self { table: Table::Permits.name(environment)? })
    }

    /// The table's name.
    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// The directions that both owners approve for a client at `now`.
    pub(super) async fn scopes(&self, vault: &Vault, client_id: &str, now: u64) -> Result<Scopes, Error> {
        let permits = self.list(vault, client_id).await?;
        Ok(permits.into_iter().filter(|(_, permit)| permit.is_active(now)).map(|(direction, _)| direction).collect())
    }

    /// A client's permits.
    pub(super) async fn list(&self, vault: &Vault, client_id: &str) -> Result<Vec<(Direction, Permit)>, Error> {
        let items = vault.tables().query_items(Query::new(&self.table, "client_id", client_id)).await?;
        items.iter().map(|item| Ok((direction::from_sort_key(string(item, "direction")?)?, read_permit(item)?))).collect()
    }
}

/// An approval as an attribute: the second at which it expires, or 0 if it does not.
pub(super) fn write_approval(approval: Approval) -> AttributeValue {
    n(match approval {
        Approval::Indefinite => 0,
        Approval::Until(end) => end,
    })
}

fn read_permit(item: &Item) -> Result<Permit, vault::Error> {
    let approval = |attribute| {
        let end = optional_number(item, attribute)?;
        Ok::<_, vault::Error>(end.map(|end| if end == 0 { Approval::Indefinite } else { Approval::Until(end) }))
    };
    Ok(Permit { granted: approval("granted")?, accepted: approval("accepted")? })
}
