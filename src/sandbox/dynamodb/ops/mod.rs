//! The operations, one file each.

pub mod batch_get_item;
pub mod batch_write_item;
pub mod continuous_backups;
pub mod create_table;
pub mod delete_item;
pub mod delete_table;
pub mod describe_table;
mod entries;
pub mod get_item;
mod index_request;
mod index_updates;
mod item_request;
pub mod limits;
pub mod list_tables;
mod page;
pub mod put_item;
pub mod query;
pub mod scan;
pub mod tags;
pub mod time_to_live;
mod transact;
pub mod transact_get_items;
pub mod transact_write_items;
pub mod update_item;
pub mod update_table;
pub mod write;
