-- The rights that a server needs, and no more: it cannot make, change or drop tables itself.
-- Run it after `granary migrate`, as the same role, which owns the tables; running it again does no harm. Then:
--   CREATE ROLE granary_app LOGIN PASSWORD '...' IN ROLE granary_server;
-- and give servers postgres://granary_app:...@host/database?migrate=false.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'granary_server') THEN
        CREATE ROLE granary_server NOLOGIN;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA granary TO granary_server;
GRANT SELECT ON granary.migration, granary.catalog, granary.OrleansQuery TO granary_server;
GRANT SELECT, UPDATE ON granary.log_head TO granary_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON granary.checkpoint, granary.checkpoint_chunk, granary.lease TO granary_server;

-- These three do as their owner what the server may not do itself, on what their arguments name.
REVOKE EXECUTE ON FUNCTION granary.open_log(uuid, integer), granary.drop_collection(uuid),
    granary.commit_catalog(text[], bigint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION granary.open_log(uuid, integer), granary.drop_collection(uuid),
    granary.commit_catalog(text[], bigint[], bytea[]) TO granary_server;

-- Logs: those there are, and those that open_log will make.
GRANT SELECT, INSERT, DELETE ON granary.log TO granary_server;
DO $$
DECLARE
    child regclass;
BEGIN
    FOR child IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'granary.log'::regclass LOOP
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %s TO granary_server', child);
    END LOOP;
END
$$;
ALTER DEFAULT PRIVILEGES IN SCHEMA granary GRANT SELECT, INSERT, DELETE ON TABLES TO granary_server;

-- Orleans.
GRANT SELECT, INSERT, UPDATE, DELETE ON granary.orleans_cluster, granary.orleans_silo, granary.orleans_grain_state,
    granary.orleans_reminder, granary.orleans_stream_message, granary.orleans_stream_dead_letter, granary.orleans_stream_eviction
    TO granary_server;
GRANT USAGE ON SEQUENCE granary.orleans_stream_message_id TO granary_server;
