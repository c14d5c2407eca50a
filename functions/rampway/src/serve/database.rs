//! The embedded engine that stands for DynamoDB.

use dynoxide::{
    Database,
    actions::{create_table::CreateTableRequest, describe_table::DescribeTableRequest, update_time_to_live::UpdateTimeToLiveRequest},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Error, server::Server, state::Home};
use crate::template::Table;

/// Serves the tables to whoever speaks DynamoDB's protocol.
pub(super) fn serve(listener: TcpListener, home: &Home, tables: &[Table]) -> Result<Server, Error> {
    let database = open(home, tables)?;
    let server = Server::run(listener, |listener, stopped| async {
        // It ends with an error only where accepting does, which it retries instead.
        let _ = dynoxide::server::serve_with_shutdown(listener, database, stopped).await;
    });
    server.map_err(|source| Error::Listen { port: 0, source })
}

/// Opens the database, with all tables in it.
fn open(home: &Home, tables: &[Table]) -> Result<Database, Error> {
    let database = match home.database() {
        Some(path) => Database::new(&path.to_string_lossy()).map_err(|error| home.problem(error))?,
        None => Database::memory().map_err(|error| Error::Machine(format!("a database in memory ({error})")))?,
    };
    let known = database.list_tables(serde_json::from_value(json!({})).map_err(|error| home.problem(error))?);
    let known = known.map_err(|error| home.problem(error))?.table_names;
    for table in tables {
        if known.contains(&table.id) {
            check(home, &database, table)?;
        } else {
            create(&database, table).map_err(|problem| Error::Table { table: table.id.clone(), problem })?;
        }
    }
    Ok(database)
}

fn create(database: &Database, table: &Table) -> Result<(), String> {
    let mut request = json!({
        "TableName": table.id,
        "KeySchema": table.key,
        "AttributeDefinitions": table.attributes,
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !table.indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = json!(table.indexes);
    }
    let request: CreateTableRequest = serde_json::from_value(request).map_err(|error| error.to_string())?;
    database.create_table(request).map_err(|error| error.to_string())?;
    if let Some(attribute) = &table.expiry {
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
fn check(home: &Home, database: &Database, table: &Table) -> Result<(), Error> {
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
    if found["KeySchema"] == json!(table.key) && same_indexes {
        Ok(())
    } else {
        Err(home.problem(format!("its table {} is not the template's", table.id)))
    }
}
