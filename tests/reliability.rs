//! Nothing lost, nothing doubled, whatever dies: the real binary under harm, counted from outside. `make soak` does the same for long.

use crate::support::reliability::installation::Kept;
use crate::support::reliability::{Report, fleet, matrix};

/// Side by side, since most of the time is waiting.
fn matrix_of(kept: Kept, lanes: u64, kills: u64) -> Report {
    let mut report = Report::default();
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|lane| scope.spawn(move || matrix::kill(kept, kills / lanes, lane + 1))).collect();
        for lane in lanes {
            report.add(lane.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)));
        }
    });
    eprintln!("{report:#?}");
    report
}

#[test]
fn a_process_that_is_killed_at_any_step_loses_and_doubles_nothing_on_sqlite() {
    let report = matrix_of(Kept::Sqlite, 2, 104);
    report.assert_clean();
    assert!(report.all_faults() >= 104);
}

#[test]
fn a_process_that_is_killed_at_any_step_loses_and_doubles_nothing_on_postgresql() {
    let report = matrix_of(Kept::Postgres, 2, 100);
    report.assert_clean();
    assert!(report.all_faults() >= 100);
}

#[test]
fn three_daemons_that_are_killed_paused_cut_off_and_stopped_lose_and_double_nothing() {
    let report = fleet::harm(8, 1);
    eprintln!("{report:#?}");
    report.assert_clean();
    assert_eq!(report.all_faults(), 8);
    assert!(!report.takeovers.is_empty());
}
