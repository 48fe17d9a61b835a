-- The store, version 1 (docs/audit-format.md, "The store"). Run once, by a login that is a member of
-- sp_owner, inside the transaction of schema.cpp; what has been released is never edited, only followed.
--
-- audit.*  the evidence: INSERT only, whoever asks. proj.*  derived from it for searching, and the
-- shipper's own bookkeeping: may be rebuilt, is never evidence.
CREATE SCHEMA audit AUTHORIZATION sp_owner;
CREATE SCHEMA proj AUTHORIZATION sp_owner;
SET LOCAL ROLE sp_owner;

CREATE TABLE audit.schema_version(
  version int PRIMARY KEY, program text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());

-- One row for each start of a gateway.
CREATE TABLE audit.writer(
  writer_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gateway text NOT NULL, boot_id uuid NOT NULL UNIQUE,
  pubkey bytea NOT NULL CHECK (octet_length(pubkey) = 32), version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now());

-- The record: leaf bytes exactly as hashed.
CREATE TABLE audit.frame(
  at timestamptz NOT NULL, writer_id int NOT NULL, wseq bigint NOT NULL, tenant_id int NOT NULL DEFAULT 1,
  session_id uuid, first_n int NOT NULL, n_ev smallint NOT NULL,
  leaf bytea NOT NULL CHECK (octet_length(leaf) < 65536),
  PRIMARY KEY (writer_id, wseq, at)) PARTITION BY RANGE (at);
CREATE INDEX ON audit.frame (session_id, first_n);

-- Texts and payloads: erasable without touching the record.
CREATE TABLE audit.part(
  at timestamptz NOT NULL, class text NOT NULL, commit bytea NOT NULL CHECK (octet_length(commit) = 32),
  tenant_id int NOT NULL DEFAULT 1, session_id uuid, dek_id bigint, salt bytea NOT NULL, codec smallint NOT NULL,
  size int NOT NULL, data bytea NOT NULL, PRIMARY KEY (class, at, commit)) PARTITION BY LIST (class);
ALTER TABLE audit.part ALTER data SET STORAGE EXTERNAL;  -- packed already
CREATE TABLE audit.part_masked PARTITION OF audit.part FOR VALUES IN ('masked') PARTITION BY RANGE (at);
CREATE TABLE audit.part_identity PARTITION OF audit.part FOR VALUES IN ('identity') PARTITION BY RANGE (at);

DO $$ BEGIN
  ALTER TABLE audit.frame ALTER leaf SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;  -- a server built without lz4: pglz, which is slower
END $$;

CREATE TABLE proj.session(
  session_id uuid PRIMARY KEY, tenant_id int NOT NULL DEFAULT 1, gateway text NOT NULL, writer_id int NOT NULL,
  started_at timestamptz NOT NULL, last_at timestamptz NOT NULL, ended_at timestamptz,
  actor text NOT NULL, src text NOT NULL, proto text NOT NULL, target text NOT NULL,
  status text NOT NULL CHECK (status IN ('open', 'closed', 'aborted')),
  n_cmd bigint NOT NULL DEFAULT 0, n_denied bigint NOT NULL DEFAULT 0, n_held bigint NOT NULL DEFAULT 0,
  n_rows bigint NOT NULL DEFAULT 0, masked_values bigint NOT NULL DEFAULT 0, bytes_out bigint NOT NULL DEFAULT 0)
  WITH (fillfactor = 70);
CREATE INDEX ON proj.session (started_at DESC);
CREATE INDEX ON proj.session (actor, started_at DESC);
CREATE INDEX ON proj.session (target, started_at DESC);
CREATE INDEX ON proj.session (gateway) WHERE status = 'open';

-- How far each gateway's journal is in the store: moves in the transaction that inserts the frames.
CREATE TABLE proj.shipped(
  gateway text PRIMARY KEY, journal uuid NOT NULL, position bigint NOT NULL, writer_id int NOT NULL,
  wseq bigint NOT NULL, stopped boolean NOT NULL) WITH (fillfactor = 50);

-- Append-only, also for the owner and for sessions in replica mode. A superuser can still disable a
-- trigger: the hash chain and the log show that.
CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'audit store is append-only: % on %.% refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit.guard(t regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('CREATE TRIGGER ro_row BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION audit.refuse()', t);
  EXECUTE format('CREATE TRIGGER ro_stmt BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', t);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ro_row', t);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ro_stmt', t);
END $$;

-- A partition has its parent's row trigger, but TRUNCATE of it alone does not ask the parent.
CREATE FUNCTION audit.guard_partition(t regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('CREATE TRIGGER ro_stmt BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', t);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ro_stmt', t);
  IF EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = t AND tgname = 'ro_row') THEN
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ro_row', t);
  END IF;
END $$;

SELECT audit.guard('audit.schema_version'), audit.guard('audit.writer'), audit.guard('audit.frame'),
       audit.guard('audit.part'), audit.guard_partition('audit.part_masked'),
       audit.guard_partition('audit.part_identity');

-- The partitions of one day (UTC), where they are missing. Whether any was.
CREATE FUNCTION audit.ensure_day(d date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE parent text; leaf text; made boolean := false;
BEGIN
  FOREACH parent IN ARRAY ARRAY['frame', 'part_masked', 'part_identity'] LOOP
    leaf := 'audit.' || parent || '_' || to_char(d, 'YYYYMMDD');
    IF to_regclass(leaf) IS NULL THEN
      PERFORM pg_advisory_xact_lock(7308604895);
      -- The catalogue itself: what to_regclass() knows may be older than the lock.
      CONTINUE WHEN EXISTS (SELECT FROM pg_tables WHERE schemaname || '.' || tablename = leaf);
      -- Attached, not created as a partition: that would lock out whoever is reading, and wait for them.
      EXECUTE format('CREATE TABLE %s (LIKE audit.%I INCLUDING ALL)', leaf, parent);
      EXECUTE format('ALTER TABLE audit.%I ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, leaf,
                     to_char(d, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(d + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
      PERFORM audit.guard_partition(leaf::regclass);
      made := true;
    END IF;
  END LOOP;
  RETURN made;
END $$;

-- The last frame of a session: what a start after a crash must know. The writer may not read frames.
CREATE FUNCTION audit.session_head(session uuid, since timestamptz) RETURNS TABLE(last_n int, leaf bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.first_n + f.n_ev - 1, f.leaf FROM audit.frame f
  WHERE f.session_id = session AND f.at >= since ORDER BY f.first_n DESC LIMIT 1
$$;

REVOKE ALL ON FUNCTION audit.ensure_day(date), audit.session_head(uuid, timestamptz), audit.guard(regclass),
  audit.guard_partition(regclass), audit.refuse() FROM PUBLIC;
GRANT USAGE ON SCHEMA audit, proj TO sp_writer, sp_reader, sp_auditor;
GRANT SELECT ON audit.schema_version, audit.writer TO sp_writer, sp_reader, sp_auditor;
GRANT INSERT ON audit.writer, audit.frame, audit.part TO sp_writer;
GRANT EXECUTE ON FUNCTION audit.ensure_day(date), audit.session_head(uuid, timestamptz) TO sp_writer;
GRANT SELECT, INSERT, UPDATE ON proj.session, proj.shipped TO sp_writer;
GRANT SELECT ON audit.frame, audit.part, proj.session, proj.shipped TO sp_reader, sp_auditor;
