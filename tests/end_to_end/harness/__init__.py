"""What the end-to-end stories are told with: private PostgreSQL clusters, a gateway process, clients on the wire."""
