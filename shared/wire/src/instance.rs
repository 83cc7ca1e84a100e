//! DescribeInstanceInformation.

use crate::EpochSeconds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

structures! {
    /// SSM API reference, DescribeInstanceInformation.
    DescribeInstanceInformationRequest {
        /// The filters of earlier days; or `filters`.
        instance_information_filter_list: Vec<InstanceInformationFilter>,
        /// All of which a node must match.
        filters: Vec<InstanceInformationStringFilter>,
        /// 5 to 50 per page.
        max_results: i64,
        /// Where the last page ended.
        next_token: String,
    }

    /// SSM API reference, InstanceInformationStringFilter.
    InstanceInformationStringFilter {
        /// `InstanceIds`, `PingStatus`, `PlatformTypes`, `tag:<key>`, … Required.
        key: String,
        /// 1 to 100, any of which matches. Required.
        values: Vec<String>,
    }

    /// SSM API reference, DescribeInstanceInformation's result.
    DescribeInstanceInformationResult {
        /// The nodes.
        instance_information_list: Vec<InstanceInformation>,
        /// Absent on the last page.
        next_token: String,
    }

    /// A managed node. SSM API reference, InstanceInformation.
    InstanceInformation {
        /// Its id.
        instance_id: String,
        /// `Online`, `ConnectionLost`, `Inactive`.
        ping_status: String,
        /// When its agent was last heard of.
        last_ping_date_time: EpochSeconds,
        /// Its agent's version.
        agent_version: String,
        /// Whether there is no newer agent.
        is_latest_version: bool,
        /// `Windows`, `Linux`, `MacOS`.
        platform_type: String,
        /// Its operating system's name.
        platform_name: String,
        /// Its operating system's version.
        platform_version: String,
        /// What it was registered with, if it is no EC2 instance.
        activation_id: String,
        /// The role of its agent, if it is no EC2 instance.
        iam_role: String,
        /// When it was registered, if it is no EC2 instance.
        registration_date: EpochSeconds,
        /// `ManagedInstance` or `EC2Instance`.
        resource_type: String,
        /// What it was called when it was registered, if it is no EC2 instance.
        name: String,
        /// Its address.
        #[serde(rename = "IPAddress")]
        ip_address: String,
        /// Its host name.
        computer_name: String,
        /// State of its associations.
        association_status: String,
        /// When its associations last ran.
        last_association_execution_date: EpochSeconds,
        /// When its associations last succeeded.
        last_successful_association_execution_date: EpochSeconds,
        /// Its associations.
        association_overview: InstanceAggregatedAssociationOverview,
        /// The id at its source.
        source_id: String,
        /// `AWS::EC2::Instance`, `AWS::IoT::Thing`, `AWS::SSM::ManagedInstance`.
        source_type: String,
    }

    /// SSM API reference, InstanceAggregatedAssociationOverview.
    InstanceAggregatedAssociationOverview {
        /// The finer status.
        detailed_status: String,
        /// Associations by status.
        instance_association_status_aggregated_count: BTreeMap<String, i64>,
    }
}

/// SSM API reference, InstanceInformationFilter: its members begin in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InstanceInformationFilter {
    /// `InstanceIds`, `AgentVersion`, `PingStatus`, `PlatformTypes`, … Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// 1 to 100, any of which matches. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_set: Option<Vec<String>>,
}
