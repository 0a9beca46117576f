"""What the end-to-end tests stand on: the daemon, its command socket, HTTP clients, processes."""
