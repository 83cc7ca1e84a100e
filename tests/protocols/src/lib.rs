//! The protocols' hard cases, in virtual time over the production code.
