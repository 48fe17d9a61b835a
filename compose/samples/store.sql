-- What a PostgreSQL needs before a gateway can keep its audit store there; run once by a superuser in that database, with the
-- gateway's login as :role. The gateway makes and upgrades everything else itself. It writes as sp_writer, which may add
-- rows and cannot change or delete any.
CREATE ROLE sp_owner NOLOGIN;
CREATE ROLE sp_writer NOLOGIN;
CREATE ROLE sp_reader NOLOGIN;
CREATE ROLE sp_auditor NOLOGIN;
GRANT sp_owner, sp_writer, sp_reader TO :"role";
