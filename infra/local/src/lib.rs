//! An embedded AWS: one deterministic model of SSM Run Command over a simulated fleet, DynamoDB, SNS, SQS, EventBridge and Lambda.
//!
//! Two halves. The model ([`Cloud`] and the services in it) does no input or output and never moves time. The driver
//! ([`Simulation`]) runs functions and clients against it with the real AWS SDK clients, whose HTTP connector leads
//! into the model, and moves virtual time from one event to the next. A run is a function of one seed.
//!
//! [`serve`] opens it to anybody who speaks HTTP, in real time.

mod batch;
mod call;
pub mod clock;
pub mod cloud;
pub mod connector;
pub mod counters;
mod delivery;
mod deployment;
pub mod dynamodb;
mod ending;
pub mod eventbridge;
mod executor;
pub mod faults;
pub mod fleet;
pub mod iam;
pub mod lambda;
pub mod lambda_api;
pub mod names;
mod pace;
pub mod protocol;
pub mod queue;
mod runtime;
pub mod sdk;
pub mod seed;
pub mod serve;
mod simulation;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod trace;
mod witness;

pub use clock::VirtualClock;
pub use cloud::{Cloud, Violation};
pub use counters::Counters;
pub use deployment::{ApiError, Deployment, DeploymentError, DeploymentOptions, TABLE};
pub use faults::{Call, Channel, Delivery, DeliveryFault, Failure, Fault, Faults, NoFaults};
pub use lambda::{
    Environment, EventSource, Function, FunctionDefinition, FunctionFactory, Invocation, InvokeError,
};
pub use pace::Pace;
pub use sdk::SdkClients;
pub use simulation::{Invoker, Outcome, Simulation, SimulationError, SimulationOptions, Step, Stop, Task};
pub use trace::{Trace, TraceLine};
pub use witness::{Applied, Witness};
