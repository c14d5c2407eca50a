//! The embedded engine that stands for DynamoDB.

use dynoxide::{
    Database,
    actions::{create_table::CreateTableRequest, describe_table::DescribeTableRequest, update_time_to_live::UpdateTimeToLiveRequest},
};
use sam::Table;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    Error,
    server::{Server, listen},
    state::StateDir,
};

/// DynamoDB alone, in memory: for tests of what needs no function. Dropped, it is gone.
#[derive(Debug)]
pub struct DynamoDb(Server);

impl DynamoDb {
    /// Serves these tables, empty, at a free port.
    pub async fn in_memory(tables: &[Table]) -> Result<Self, Error> {
        let database = memory()?;
        create_all(&database, tables)?;
        run(listen(0).await?, database).map(Self)
    }

    /// Its address, for `AWS_ENDPOINT_URL_DYNAMODB`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address())
    }
}

/// Serves the tables over DynamoDB's protocol.
pub(crate) fn serve(listener: TcpListener, home: &StateDir, tables: &[Table]) -> Result<Server, Error> {
    run(listener, open(home, tables)?)
}

fn run(listener: TcpListener, database: Database) -> Result<Server, Error> {
    let server = Server::run(listener, |listener, stopped| async {
        // It ends with an error only where accepting does, which it retries instead.
        let _ = dynoxide::server::serve_with_shutdown(listener, database, stopped).await;
    });
    server.map_err(|source| Error::Listen { port: 0, source })
}

/// Opens the database, with all tables in it.
fn open(home: &StateDir, tables: &[Table]) -> Result<Database, Error> {
    let database = match home.database() {
        Some(path) => Database::new(&path.to_string_lossy()).map_err(|error| home.problem(error))?,
        None => memory()?,
    };
    let known = database.list_tables(serde_json::from_value(json!({})).map_err(|error| home.problem(error))?);
    let known = known.map_err(|error| home.problem(error))?.table_names;
    let (old, new): (Vec<_>, Vec<_>) = tables.iter().partition(|table| known.contains(&table.id));
    for table in old {
        check(home, &database, table)?;
    }
    create_all(&database, new)?;
    Ok(database)
}

fn memory() -> Result<Database, Error> {
    Database::memory().map_err(|error| Error::Machine(format!("a database in memory ({error})")))
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

/// A table of an earlier start must be the one that the template describes now.
fn check(home: &StateDir, database: &Database, table: &Table) -> Result<(), Error> {
    let description = database.describe_table(DescribeTableRequest { table_name: table.id.clone() });
    let description = description.map_err(|error| home.problem(error))?.table;
    let found = serde_json::to_value(description).map_err(|error| home.problem(error))?;
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
        Err(home.problem(format!("its table {} is not the template's", table.id)))
    }
}
