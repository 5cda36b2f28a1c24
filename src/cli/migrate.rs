//! `postkamer migrate`.

use super::{Failure, Place, output};

/// Bring the database's schema up to date.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    // Every command migrates when it opens the store; this one says what was done.
    let office = place.machinery().await?;
    let applied = office.store.migrated();
    if args.json {
        return output::json(&serde_json::json!({ "applied": applied }));
    }
    match applied {
        [] => output::line("The schema is up to date."),
        some => some.iter().for_each(|name| output::line(&format!("applied {name}"))),
    }
    Ok(())
}
