//! What the process is made of: clock, randomness, bounded queues, threads, shutdown, the
//! environment, and the metrics the program keeps of itself.
//!
//! Everything here has a real and a simulated form, so that the rest can be tested on a clock that tests
//! wind and with dice that fall the same way twice. Nothing else in the workspace reads the clock, the
//! environment or random numbers.

pub mod clock;
pub mod environment;
pub mod hash;
pub mod memory;
pub mod metrics;
pub mod queue;
pub mod random;
pub mod shutdown;
pub mod thread;
pub mod workers;

pub use clock::{Clock, SharedClock, SimulatedClock, SystemClock};
pub use hash::{HashMap, HashSet, Seeded};
pub use metrics::Registry;
pub use random::Random;
pub use shutdown::Shutdown;
pub use workers::Workers;
