//! Upgrades: items of every release are read by this one, and items of a later one are left alone (P6).

mod going_on;
mod golden;
mod moments;
mod newer;
mod reading;
mod shapes;
