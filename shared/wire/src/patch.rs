//! DescribeInstancePatchStates.

use crate::EpochSeconds;

structures! {
    /// SSM API reference, DescribeInstancePatchStates.
    DescribeInstancePatchStatesRequest {
        /// At most 50. Required.
        instance_ids: Vec<String>,
        /// Where the last page ended.
        next_token: String,
        /// 10 to 100 per page.
        max_results: i64,
    }

    /// SSM API reference, DescribeInstancePatchStates' result.
    DescribeInstancePatchStatesResult {
        /// One per node that has ever been scanned.
        instance_patch_states: Vec<InstancePatchState>,
        /// Absent on the last page.
        next_token: String,
    }

    /// What the last patch operation found on a node. SSM API reference, InstancePatchState.
    InstancePatchState {
        /// The node.
        instance_id: String,
        /// Its patch group; empty if it has none.
        patch_group: String,
        /// The baseline it was held against.
        baseline_id: String,
        /// The snapshot of that baseline.
        snapshot_id: String,
        /// List of patches that replaced the baseline.
        install_override_list: String,
        /// What the owner noted.
        owner_information: String,
        /// Patches of the baseline that are installed.
        installed_count: i64,
        /// Installed, but not in the baseline.
        installed_other_count: i64,
        /// Installed since the last reboot.
        installed_pending_reboot_count: i64,
        /// Installed, but rejected by the baseline.
        installed_rejected_count: i64,
        /// In the baseline and not installed.
        missing_count: i64,
        /// Could not be installed.
        failed_count: i64,
        /// Not applicable, beyond those in the inventory.
        unreported_not_applicable_count: i64,
        /// Not applicable.
        not_applicable_count: i64,
        /// Security updates that are available, but not approved.
        available_security_update_count: i64,
        /// When the operation began.
        operation_start_time: EpochSeconds,
        /// When it ended.
        operation_end_time: EpochSeconds,
        /// `Scan` or `Install`.
        operation: String,
        /// When patches were last installed without a reboot.
        last_no_reboot_install_operation_time: EpochSeconds,
        /// `RebootIfNeeded` or `NoReboot`.
        reboot_option: String,
        /// Critical patches that are missing, failed, rejected or wait for a reboot.
        critical_non_compliant_count: i64,
        /// Security patches of which the same is true.
        security_non_compliant_count: i64,
        /// Other patches of which the same is true.
        other_non_compliant_count: i64,
    }
}
