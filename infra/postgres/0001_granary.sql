-- Granary's own tables (docs/formats.md tells what the bytes in them are).
-- Applied as the owner of the schema; the server itself needs only the rights in roles.sql.

-- Documents with conditional writes: collections, aliases, settings.
CREATE TABLE granary.catalog (
    key text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    value bytea NOT NULL
);

-- Epochs are drawn from one sequence, so that none is ever used twice, whatever is dropped and made again.
CREATE SEQUENCE granary.epoch;

-- One row a partition, never truncated: what fences writers. Kept half full, so that advancing it touches no index.
CREATE TABLE granary.log_head (
    incarnation uuid NOT NULL,
    partition integer NOT NULL,
    next_op bigint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (incarnation, partition)
) WITH (fillfactor = 50);

-- The operations: one table a collection, named log_ and its incarnation, dropped with it.
CREATE TABLE granary.log (
    incarnation uuid NOT NULL,
    partition integer NOT NULL,
    first_op bigint NOT NULL,
    count integer NOT NULL CHECK (count > 0),
    batch_id uuid NOT NULL,
    crc32c bigint NOT NULL,
    operations bytea NOT NULL,
    PRIMARY KEY (incarnation, partition, first_op)
) PARTITION BY LIST (incarnation);

-- Vectors do not compress; trying costs more than it saves.
ALTER TABLE granary.log ALTER COLUMN operations SET STORAGE EXTERNAL;

CREATE TABLE granary.checkpoint (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token uuid NOT NULL UNIQUE,
    incarnation uuid NOT NULL,
    partition integer NOT NULL,
    operation bigint NOT NULL,
    bytes bigint NOT NULL,
    created timestamptz NOT NULL,
    touched timestamptz NOT NULL,
    published boolean NOT NULL
);

CREATE INDEX checkpoint_by_partition ON granary.checkpoint (incarnation, partition, operation, id);

CREATE TABLE granary.checkpoint_chunk (
    checkpoint bigint NOT NULL REFERENCES granary.checkpoint (id) ON DELETE CASCADE,
    section text COLLATE "C" NOT NULL,
    chunk integer NOT NULL,
    crc32c bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (checkpoint, section, chunk)
);

ALTER TABLE granary.checkpoint_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Opens a log for writing: makes its collection's table and its head row where they are missing, and raises the epoch.
-- The table is made apart and attached, which holds up neither readers nor writers of other collections.
CREATE FUNCTION granary.open_log(of uuid, number integer, OUT epoch bigint, OUT next_op bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    child text := 'log_' || replace(of::text, '-', '');
BEGIN
    -- By the catalog's rows, not by to_regclass: its cache may not know yet what was made while this waited for the lock.
    IF NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'granary'::regnamespace AND relname = child) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('granary.' || child, 0));
        IF NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'granary'::regnamespace AND relname = child) THEN
            EXECUTE format('CREATE TABLE granary.%I (LIKE granary.log INCLUDING ALL)', child);
            EXECUTE format('ALTER TABLE granary.log ATTACH PARTITION granary.%I FOR VALUES IN (%L)', child, of);
        END IF;
    END IF;
    INSERT INTO granary.log_head AS head (incarnation, partition, next_op, epoch)
    VALUES (of, number, 1, nextval('granary.epoch'))
    ON CONFLICT (incarnation, partition) DO UPDATE SET epoch = excluded.epoch
    RETURNING head.epoch, head.next_op INTO open_log.epoch, open_log.next_op;
END
$$;

-- Drops everything a collection stored. First what fences its writers, so that nobody appends to what goes.
CREATE FUNCTION granary.drop_collection(of uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    child text := 'log_' || replace(of::text, '-', '');
BEGIN
    DELETE FROM granary.log_head WHERE incarnation = of;
    DELETE FROM granary.checkpoint WHERE incarnation = of;
    PERFORM pg_advisory_xact_lock(hashtextextended('granary.' || child, 0));
    EXECUTE format('DROP TABLE IF EXISTS granary.%I', child);
END
$$;

-- Applies changes to the catalog, or none when a version does not hold. Serialised by the table lock, within one statement.
CREATE FUNCTION granary.commit_catalog(keys text[], expected bigint[], new_values bytea[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE granary.catalog IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (
        SELECT FROM unnest(keys, expected) AS change (key, version)
        LEFT JOIN granary.catalog AS current ON current.key = change.key
        WHERE coalesce(current.version, 0) <> change.version
    ) THEN
        RETURN false;
    END IF;
    DELETE FROM granary.catalog AS current
    USING unnest(keys, new_values) AS change (key, value)
    WHERE current.key = change.key AND change.value IS NULL;
    INSERT INTO granary.catalog AS current (key, version, value)
    SELECT change.key, change.version + 1, change.value
    FROM unnest(keys, expected, new_values) AS change (key, version, value)
    WHERE change.value IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value;
    RETURN true;
END
$$;
