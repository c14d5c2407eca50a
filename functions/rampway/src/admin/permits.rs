//! `rampway admin permits`.

use clap::{Args, Subcommand, ValueEnum};
use cloud::{
    clock::now,
    identity::admin::{self, Admin},
    setting::Environment,
};
use shared::identity::{Direction, Domain, scope::Approval};

use super::authority::{HOUR, connect};
use crate::{
    error::Error,
    output::{relative_end, table},
};

const AFTER_HELP: &str = "\
Examples:
  rampway admin permits grant acme 1005 1006 --by acme
  rampway admin permits accept acme 1005 1006 --by globex --days 365
  rampway admin permits revoke acme 1005 1006 --by globex --order accept
  rampway admin permits list acme";

/// The commands on permissions.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub enum Permits {
    /// Approve a direction as the owner of the source domain
    Grant(ApprovalArgs),
    /// Approve a direction as the owner of the target domain
    Accept(ApprovalArgs),
    /// Revoke one owner's approval; it takes effect when the client's token expires, within 15
    /// minutes
    Revoke {
        /// The direction.
        #[command(flatten)]
        direction: DirectionArgs,
        /// Which of the two approvals to revoke
        #[arg(long, value_enum)]
        order: Side,
    },
    /// List the approvals for a client, and which directions are active
    List {
        /// Id of the client
        client: String,
    },
}

/// A direction in which a client may translate, and the owner that approves it.
#[derive(Clone, Debug, Args)]
pub struct DirectionArgs {
    /// Id of the client
    pub client: String,
    /// Source domain
    pub from: Domain,
    /// Target domain
    pub to: Domain,
    /// Client that owns the domain and decides
    #[arg(long, value_name = "OWNER")]
    pub by: String,
}

impl DirectionArgs {
    /// Returns the direction.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        Direction { from: self.from, to: self.to }
    }
}

/// One owner's approval.
#[derive(Clone, Debug, Args)]
pub struct ApprovalArgs {
    /// The direction.
    #[command(flatten)]
    pub direction: DirectionArgs,
    /// Number of days for which the approval is valid [default: until it is revoked]
    #[arg(long)]
    pub days: Option<u32>,
}

/// One of the two approvals of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// The approval of the source domain's owner
    Grant,
    /// The approval of the target domain's owner
    Accept,
}

impl From<Side> for admin::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Grant => Self::Grant,
            Side::Accept => Self::Accept,
        }
    }
}

pub(super) async fn run(command: &Permits, environment: &Environment) -> Result<String, Error> {
    let admin = connect(environment).await?;
    match command {
        Permits::Grant(approval) => approve(&admin, admin::Side::Grant, approval).await,
        Permits::Accept(approval) => approve(&admin, admin::Side::Accept, approval).await,
        Permits::Revoke { direction: args, order } => {
            admin.revoke(&args.client, args.direction(), (*order).into(), &args.by).await?;
            Ok("revoked; tokens that allow the direction expire within 15 minutes\n".into())
        }
        Permits::List { client } => list(&admin, client).await,
    }
}

async fn approve(admin: &Admin, side: admin::Side, approval: &ApprovalArgs) -> Result<String, Error> {
    let ApprovalArgs { direction: args, days } = approval;
    let approval = days.map_or(Approval::Indefinite, |days| Approval::Until(now() + u64::from(days) * 24 * HOUR));
    admin.approve(&args.client, args.direction(), side, &args.by, approval).await?;
    list(admin, &args.client).await
}

async fn list(admin: &Admin, client: &str) -> Result<String, Error> {
    let mut rows = vec![["from", "to", "granted", "accepted", "active"].map(String::from)];
    for (direction, permit) in admin.permits(client).await? {
        let approval = |approval: Option<Approval>| match approval {
            None => "no".into(),
            Some(Approval::Indefinite) => "yes".into(),
            Some(Approval::Until(end)) => relative_end(end, now()),
        };
        let active = if permit.is_active(now()) { "yes" } else { "no" };
        let [from, to] = [direction.from, direction.to].map(|domain| domain.to_string());
        rows.push([from, to, approval(permit.granted), approval(permit.accepted), active.into()]);
    }
    Ok(table(&rows))
}
