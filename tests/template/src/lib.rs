//! `template.yaml` as CloudFormation deploys it, for the tests that hold it against the code.
//!
//! They read what `cargo xtask template` has expanded, and cannot run without it.

mod intrinsics;
mod policy;
mod stack;

pub use policy::{Ask, Policy, Statement};
pub use stack::{FUNCTIONS, Resource, Stack, number, text};
