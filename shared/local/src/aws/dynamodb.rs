//! DynamoDB: an embedded engine that speaks its protocol.

use dynoxide::{
    Database,
    actions::{create_table::CreateTableRequest, describe_table::DescribeTableRequest, update_time_to_live::UpdateTimeToLiveRequest},
};
use sam::Table;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    error::Error,
    server::{Server, listen},
    state::StateDir,
};

/// DynamoDB alone, in memory, for tests that need no function. Dropped, it stops.
#[derive(Debug)]
pub struct DynamoDb(Server);

impl DynamoDb {
    /// Creates these tables, empty, and serves them on a free port.
    pub async fn in_memory(tables: &[Table]) -> Result<Self, Error> {
        let database = in_memory()?;
        create_all(&database, tables)?;
        serve_database(listen(0).await?, database).map(Self)
    }

    /// Its base URL, for `AWS_ENDPOINT_URL_DYNAMODB`.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }
}

/// Serves the tables of a state directory.
pub(crate) fn serve(listener: TcpListener, state_dir: &StateDir, tables: &[Table]) -> Result<Server, Error> {
    serve_database(listener, open(state_dir, tables)?)
}

fn serve_database(listener: TcpListener, database: Database) -> Result<Server, Error> {
    Server::run(listener, |listener, shutdown| async {
        // It never fails: a failing `accept` is retried.
        let _ = dynoxide::server::serve_with_shutdown(listener, database, shutdown).await;
    })
}

/// Opens the database, and creates the tables that it lacks.
fn open(state_dir: &StateDir, tables: &[Table]) -> Result<Database, Error> {
    let database = match state_dir.database() {
        Some(path) => Database::new(&path.to_string_lossy()).map_err(|error| state_dir.problem(error))?,
        None => in_memory()?,
    };
    let stored = database.list_tables(serde_json::from_value(json!({})).map_err(|error| state_dir.problem(error))?);
    let stored = stored.map_err(|error| state_dir.problem(error))?.table_names;
    let (old, new): (Vec<_>, Vec<_>) = tables.iter().partition(|table| stored.contains(&table.id));
    for table in old {
        check(state_dir, &database, table)?;
    }
    create_all(&database, new)?;
    Ok(database)
}

fn in_memory() -> Result<Database, Error> {
    Database::memory().map_err(|error| Error::Machine(format!("an in-memory database ({error})")))
}

fn create_all<'a>(database: &Database, tables: impl IntoIterator<Item = &'a Table>) -> Result<(), Error> {
    let mut tables = tables.into_iter();
    tables.try_for_each(|table| create(database, table).map_err(|problem| Error::Table { table: table.id.clone(), problem }))
}

fn create(database: &Database, table: &Table) -> Result<(), String> {
    let mut request = json!({
        "TableName": table.id,
        "KeySchema": table.key_schema,
        "AttributeDefinitions": table.attributes,
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !table.indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = json!(table.indexes);
    }
    let request: CreateTableRequest = serde_json::from_value(request).map_err(|error| error.to_string())?;
    database.create_table(request).map_err(|error| error.to_string())?;
    if let Some(attribute) = &table.ttl_attribute {
        let request = json!({
            "TableName": table.id,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        });
        let request: UpdateTimeToLiveRequest = serde_json::from_value(request).map_err(|error| error.to_string())?;
        database.update_time_to_live(request).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Fails when a stored table differs from the template's.
fn check(state_dir: &StateDir, database: &Database, table: &Table) -> Result<(), Error> {
    let description = database.describe_table(DescribeTableRequest { table_name: table.id.clone() });
    let description = description.map_err(|error| state_dir.problem(error))?.table;
    let found = serde_json::to_value(description).map_err(|error| state_dir.problem(error))?;
    let mut indexes: Vec<&Value> = found["GlobalSecondaryIndexes"].as_array().into_iter().flatten().collect();
    indexes.sort_by_key(|index| index["IndexName"].to_string());
    let mut wanted: Vec<_> = table.indexes.iter().collect();
    wanted.sort_by_key(|index| &index.index_name);
    let same_indexes = indexes.len() == wanted.len()
        && indexes
            .iter()
            .zip(&wanted)
            .all(|(found, wanted)| found["IndexName"] == json!(wanted.index_name) && found["KeySchema"] == json!(wanted.key_schema));
    if found["KeySchema"] == json!(table.key_schema) && same_indexes {
        Ok(())
    } else {
        Err(state_dir.problem(format!("its table {} differs from the template's", table.id)))
    }
}
