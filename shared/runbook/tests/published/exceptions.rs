//! The published runbooks that are refused, each for a defect that SSM refuses or trips over itself.

use fleetwright_runbook::Code;

/// One mistake in a published runbook.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) path: &'static str,
    pub(crate) line: u32,
    pub(crate) code: Code,
    /// Why it is right to refuse it.
    #[expect(dead_code, reason = "written for whoever reads the table")]
    pub(crate) reason: &'static str,
}

pub(crate) const EXCEPTIONS: &[Exception] = &[];

/// Templates of runbooks, whose steps are still to be filled in: the lines of those without an action.
pub(crate) const WITHOUT_ACTION: &[(&str, &[u32])] = &[
    (
        "esabitova+aws-digito-artifacts-gameday/artifact_generator/src/templates/AutomationDocumentForTest.yml",
        &[76, 91, 96, 115],
    ),
    (
        "esabitova+aws-digito-artifacts-gameday/artifact_generator/src/templates/AutomationDocumentForTestNoRollback.yml",
        &[44],
    ),
    (
        "esabitova+aws-digito-artifacts-gameday/documents/docdb/sop/scaling_up/2020-09-21/Documents/AutomationDocument.yml",
        &[53],
    ),
    (
        "esabitova+aws-digito-artifacts-gameday/documents/elasticache/test/failover/2020-10-26/Documents/AutomationDocument.yml",
        &[45],
    ),
    (
        "esabitova+aws-digito-artifacts-gameday/documents/elasticache/test/reboot_cluster/2020-10-26/Documents/AutomationDocument.yml",
        &[48],
    ),
];
