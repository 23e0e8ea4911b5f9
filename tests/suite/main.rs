//! The real program in real terminals, against real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    clippy::items_after_statements,
    reason = "a test fails on anything unexpected"
)]
#![allow(clippy::print_stdout, reason = "a test tells what it has measured")]

mod answers;
#[cfg(unix)]
mod app;
mod architecture;
#[cfg(target_os = "linux")]
mod attack;
mod bounds;
mod certificates;
#[cfg(unix)]
mod client_authentication;
mod client_credentials;
mod clipboard;
#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod configure;
mod copied;
mod demo;
mod discovery;
mod endings;
#[cfg(unix)]
mod environment;
mod errors;
mod explained;
mod form;
#[cfg(unix)]
mod git;
mod https;
#[cfg(unix)]
mod id_tokens;
#[cfg(target_os = "linux")]
mod jobs;
#[cfg(target_os = "linux")]
mod keeper;
#[cfg(target_os = "linux")]
mod keeper_failures;
mod keystrokes;
mod leaks;
#[cfg(unix)]
mod life;
mod links;
mod listener;
#[cfg(target_os = "linux")]
mod mail_server;
#[cfg(target_os = "linux")]
mod mail_test;
#[cfg(target_os = "linux")]
mod named;
mod paste;
#[cfg(unix)]
mod pictures;
mod plain;
mod process;
#[cfg(unix)]
mod profile_screens;
mod profiles;
#[cfg(target_os = "linux")]
mod profiles_check;
mod provider;
mod proxies;
mod pushed;
mod qr;
#[cfg(unix)]
mod random;
#[cfg(target_os = "linux")]
mod recipes;
mod registration;
#[cfg(target_os = "linux")]
mod reports;
#[cfg(target_os = "linux")]
mod rivals;
mod safety;
mod save;
#[cfg(target_os = "linux")]
mod scenarios;
#[cfg(unix)]
mod screens;
mod scripted;
mod security;
mod servers;
mod service_account;
mod services;
#[cfg(unix)]
mod small;
#[cfg(unix)]
mod snapshots;
#[cfg(target_os = "linux")]
mod ssh;
#[cfg(target_os = "linux")]
mod stopped;
mod stores;
mod style;
mod terminal;
#[cfg(target_os = "linux")]
mod token_file;
#[cfg(target_os = "linux")]
mod token_tools;
mod traffic;
#[cfg(target_os = "linux")]
mod typed;
mod unread;
#[cfg(target_os = "linux")]
mod unstored;
mod user_presets;
#[cfg(target_os = "linux")]
mod whereabouts;
#[cfg(unix)]
mod wide;
mod window;
