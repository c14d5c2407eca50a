//! Listening on this desk, and on this desk alone.

use std::{io::ErrorKind, net::Ipv4Addr};

use tokio::net::TcpListener;

use super::Error;

/// Listens on a loopback port; 0 takes a free one.
pub async fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => Error::PortTaken(port),
        _ => Error::Listen { port, cause },
    })
}

/// A free port, for a process that listens itself. Another process may take it first: whoever uses it tries again.
pub async fn free_port() -> Result<u16, Error> {
    let listener = listen(0).await?;
    listener.local_addr().map(|address| address.port()).map_err(|cause| Error::Listen { port: 0, cause })
}

/// Where it listens.
pub fn address(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| format!("http://{address}")).unwrap_or_default()
}
