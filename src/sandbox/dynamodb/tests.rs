//! DynamoDB through the engine, with real users, policies and KMS keys around it.

mod creator;
mod disk;
mod hierarchy;
mod indexes;
mod items;
mod lab;
mod legacy;
mod paging;
mod settings;
mod tables;
mod transact;
mod violations;
