//! The end-to-end scenarios: tasks as ECS runs them, with and without the agent.
#![forbid(unsafe_code)]

mod attack;
mod bad_input;
mod fargate;
mod words;
mod workload;
