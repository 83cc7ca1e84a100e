use fleetwright_local::ssm::{CommandStatus as C, StatusDetails as D, Tally};

/// Invocations by details, MaxErrors, whether it was cancelled, and what the command is then.
type Row<'a> = (&'a [(D, u32)], u32, bool, C);

#[test]
fn a_command_is_what_its_invocations_make_it() {
    let table: &[Row<'_>] = &[
        (&[(D::Success, 5)], 0, false, C::Success),
        (&[], 0, false, C::NoInstancesInTag),
        (&[(D::Success, 4), (D::Failed, 1)], 0, false, C::Failed),
        (&[(D::Success, 4), (D::Failed, 1)], 1, false, C::Incomplete),
        (&[(D::Success, 3), (D::Failed, 2)], 1, false, C::Failed),
        (&[(D::Success, 4), (D::ExecutionTimedOut, 1)], 0, false, C::ExecutionTimedOut),
        (&[(D::Success, 3), (D::ExecutionTimedOut, 1), (D::Failed, 1)], 0, false, C::Failed),
        (&[(D::Success, 4), (D::DeliveryTimedOut, 1)], 0, false, C::DeliveryTimedOut),
        (&[(D::Success, 4), (D::DeliveryTimedOut, 1)], 1, false, C::Incomplete),
        (&[(D::Failed, 1), (D::Terminated, 4)], 0, false, C::Failed),
        // User guide: all undelivered is Failed, four of five and one Success is Success.
        (&[(D::Undeliverable, 5)], 10, false, C::Failed),
        (&[(D::Undeliverable, 4), (D::Success, 1)], 0, false, C::Success),
        (&[(D::Undeliverable, 2), (D::InvalidPlatform, 2), (D::AccessDenied, 1)], 9, false, C::Failed),
        (&[(D::Success, 4), (D::Cancelled, 1)], 0, false, C::Incomplete),
        (&[(D::Success, 4), (D::Cancelled, 1)], 0, true, C::Cancelled),
        // The cancel came too late for all of them.
        (&[(D::Success, 5)], 0, true, C::Success),
    ];
    for (counts, max_errors, cancelled, expected) in table {
        assert_eq!(
            Tally::of(counts).outcome(*max_errors, *cancelled),
            *expected,
            "{counts:?} {max_errors} {cancelled}"
        );
    }
}

#[test]
fn each_status_counts_where_the_api_reference_says() {
    // Details, coarse status, terminal, ErrorCount, CompletedCount.
    let table = [
        (D::Pending, "Pending", false, false, false),
        (D::InProgress, "InProgress", false, false, false),
        (D::Cancelling, "Cancelling", false, false, false),
        (D::Success, "Success", true, false, true),
        (D::Failed, "Failed", true, true, true),
        (D::ExecutionTimedOut, "TimedOut", true, true, true),
        (D::DeliveryTimedOut, "TimedOut", true, false, true),
        (D::Cancelled, "Cancelled", true, false, true),
        (D::Undeliverable, "Failed", true, false, true),
        (D::Terminated, "Failed", true, false, true),
        (D::InvalidPlatform, "Failed", true, false, false),
        (D::AccessDenied, "Failed", true, false, false),
    ];
    for (details, status, terminal, error, completed) in table {
        assert_eq!(details.status(), status);
        assert_eq!(
            (details.terminal(), details.error(), details.completed()),
            (terminal, error, completed),
            "{details}"
        );
    }
}
