//! What a database holds, read and changed behind postkamer's back.

use super::world::World;
use sea_orm::{ConnectionTrait, Database, DbErr, Statement};
use std::fs;

/// Runs SQL on a world's database. Of a SELECT the first column comes back, which must be text.
pub fn sql(world: &World, statement: &str) -> Result<Vec<String>, DbErr> {
    let config: toml::Table = fs::read_to_string(&world.config_path).unwrap().parse().unwrap();
    let url = config["database"]["url"].as_str().unwrap();
    let url = match url.strip_prefix("sqlite://") {
        Some(file) => format!("sqlite://{}", world.state_dir().join(file).display()),
        None => url.to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Database::connect(url).await?;
        let rows = if statement.trim_start().starts_with("SELECT") {
            let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), statement)).await?;
            rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?
        } else {
            db.execute_unprepared(statement).await?;
            Vec::new()
        };
        db.close().await?;
        Ok(rows)
    })
}
