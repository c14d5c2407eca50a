//! The SAM template, read and resolved: what it deploys under chosen parameters.
//!
//! [`Template`] is the document as it is written. [`Template::stack`] resolves it to a [`Stack`]:
//! conditions are evaluated, globals merged, and every intrinsic function that a known property
//! uses is replaced by its value. The values of `Ref`, `Fn::GetAtt` and `Fn::Sub` depend on where
//! the stack runs, which is a [`Deployment`].
//!
//! Only the properties that [`Stack`] describes are resolved: nothing needs the ARN of an IAM role.
//! An unsupported construct in one of them is an [`Error`] that names the resource and the
//! property.

mod api;
mod deployment;
mod endpoint;
mod error;
mod function;
mod intrinsic;
mod json;
mod node;
mod properties;
mod resolver;
mod schedule;
mod stack;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod yaml;

pub use self::{
    api::{Api, Authorizer, Cors, GatewayResponse, HeaderMapping, Throttle},
    deployment::Deployment,
    endpoint::{Endpoint, Variant},
    error::Error,
    function::{Function, Route, Schedule},
    node::Node,
    schedule::{Cron, ScheduleExpression},
    stack::Stack,
    table::{Attribute, Index, Key, Table},
    template::{Parameter, Resource, Template},
};
