//! A way to the cloud while it is served, for those who run it: its books, its faults, its time.

use super::driver::Driver;
use crate::deployment::Deployment;

/// Does things with the deployment on the thread it lives on.
#[derive(Clone)]
pub struct Console {
    driver: Driver,
}

impl Console {
    pub(super) const fn new(driver: Driver) -> Self {
        Self { driver }
    }

    /// Does something with the deployment; whoever asks the cloud anything waits meanwhile. Time that is let pass stays
    /// ahead of real time. Nothing if the cloud has ended.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Deployment) -> T + Send + 'static,
    ) -> Option<T> {
        self.driver.work(work).await
    }
}
