//! DynamoDB: an embedded engine in this process, its tables as the template describes them.

use std::path::Path;

use dynoxide::{Database, errors::DynoxideError};

use super::{Error, net};
use crate::template::Table;

/// Starts the engine and creates the tables that are missing; gives its address.
pub async fn start(file: Option<&Path>, tables: &[Table]) -> Result<String, Error> {
    let database = match file {
        Some(file) => Database::new(&file.display().to_string()),
        None => Database::memory(),
    };
    let database = database.map_err(|cause| Error::State {
        what: file.map_or_else(String::new, |file| file.display().to_string()),
        cause: cause.to_string(),
    })?;
    for table in tables {
        create(&database, table)?;
    }
    let listener = net::listen(0).await?;
    let address = net::address(&listener);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(address)
}

fn create(database: &Database, table: &Table) -> Result<(), Error> {
    let failed = |cause: String| Error::Table { table: table.id.clone(), cause };
    let request = serde_json::from_value(table.create.clone()).map_err(|cause| failed(cause.to_string()))?;
    match database.create_table(request) {
        Ok(_) => {}
        // It is there from the last time.
        Err(DynoxideError::ResourceInUseException(_)) => return Ok(()),
        Err(cause) => return Err(failed(cause.to_string())),
    }
    if let Some(attribute) = &table.ttl {
        let request = serde_json::json!({
            "TableName": table.id, "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true}
        });
        let request = serde_json::from_value(request).map_err(|cause| failed(cause.to_string()))?;
        database.update_time_to_live(request).map_err(|cause| failed(cause.to_string()))?;
    }
    Ok(())
}
