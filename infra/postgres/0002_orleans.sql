-- What the AdoNet providers of Orleans 10 look up: membership, grain storage, reminders and streams. The providers read the texts in
-- OrleansQuery by key, give them parameters by name and read columns of the answers by name; nothing else is theirs. That table is the
-- only one they name themselves, so the connection string given to them has `granary` as its search path.

CREATE TABLE granary.OrleansQuery (
    QueryKey text PRIMARY KEY,
    QueryText text NOT NULL
);

-- Membership. Every change of a silo's row raises its cluster's version, and is made only if the version is the one expected.

CREATE TABLE granary.orleans_cluster (
    DeploymentId text PRIMARY KEY,
    Version integer NOT NULL
);

CREATE TABLE granary.orleans_silo (
    DeploymentId text NOT NULL REFERENCES granary.orleans_cluster ON DELETE CASCADE,
    Address text NOT NULL,
    Port integer NOT NULL,
    Generation integer NOT NULL,
    SiloName text NOT NULL,
    HostName text NOT NULL,
    Status integer NOT NULL,
    ProxyPort integer NOT NULL,
    SuspectTimes text,
    StartTime timestamptz NOT NULL,
    IAmAliveTime timestamptz NOT NULL,
    PRIMARY KEY (DeploymentId, Address, Port, Generation)
);

INSERT INTO granary.OrleansQuery VALUES
('InsertMembershipVersionKey', $$
WITH made AS (
    INSERT INTO granary.orleans_cluster VALUES (@DeploymentId, 0) ON CONFLICT DO NOTHING RETURNING Version
)
SELECT EXISTS (SELECT FROM made)
$$),
('InsertMembershipKey', $$
WITH raised AS (
    UPDATE granary.orleans_cluster SET Version = Version + 1
    WHERE DeploymentId = @DeploymentId AND Version = @Version AND NOT EXISTS (
        SELECT FROM granary.orleans_silo
        WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation)
    RETURNING DeploymentId
), made AS (
    INSERT INTO granary.orleans_silo (
        DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
    SELECT DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM raised
    RETURNING Port
)
SELECT EXISTS (SELECT FROM made)
$$),
('UpdateMembershipKey', $$
WITH raised AS (
    UPDATE granary.orleans_cluster SET Version = Version + 1
    WHERE DeploymentId = @DeploymentId AND Version = @Version AND EXISTS (
        SELECT FROM granary.orleans_silo
        WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation)
    RETURNING DeploymentId
), changed AS (
    UPDATE granary.orleans_silo AS silo SET Status = @Status, SuspectTimes = @SuspectTimes, IAmAliveTime = @IAmAliveTime
    FROM raised
    WHERE silo.DeploymentId = raised.DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
    RETURNING silo.Port
)
SELECT EXISTS (SELECT FROM changed)
$$),
('UpdateIAmAlivetimeKey', $$
UPDATE granary.orleans_silo SET IAmAliveTime = @IAmAliveTime
WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
$$),
-- A cluster without the silo asked for, or without any, still answers with its version.
('MembershipReadRowKey', $$
SELECT cluster.DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, SuspectTimes, StartTime, IAmAliveTime, Version
FROM granary.orleans_cluster AS cluster LEFT JOIN granary.orleans_silo AS silo
    ON silo.DeploymentId = cluster.DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
WHERE cluster.DeploymentId = @DeploymentId
$$),
('MembershipReadAllKey', $$
SELECT cluster.DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, SuspectTimes, StartTime, IAmAliveTime, Version
FROM granary.orleans_cluster AS cluster LEFT JOIN granary.orleans_silo AS silo ON silo.DeploymentId = cluster.DeploymentId
WHERE cluster.DeploymentId = @DeploymentId
$$),
('GatewaysQueryKey', $$
SELECT Address, ProxyPort, Generation FROM granary.orleans_silo
WHERE DeploymentId = @DeploymentId AND Status = @Status AND ProxyPort > 0
$$),
('DeleteMembershipTableEntriesKey', $$
DELETE FROM granary.orleans_cluster WHERE DeploymentId = @DeploymentId
$$),
-- 6 is SiloStatus.Dead.
('CleanupDefunctSiloEntriesKey', $$
DELETE FROM granary.orleans_silo WHERE DeploymentId = @DeploymentId AND Status = 6 AND IAmAliveTime < @IAmAliveTime
$$);

-- Grain storage. A write without a version makes the row, one with a version replaces exactly that one; a refused one answers with the
-- version it came with, by which the provider knows.

CREATE TABLE granary.orleans_grain_state (
    ServiceId text NOT NULL,
    GrainTypeString text NOT NULL,
    GrainTypeHash integer NOT NULL,
    GrainIdHash integer NOT NULL,
    GrainIdN0 bigint NOT NULL,
    GrainIdN1 bigint NOT NULL,
    GrainIdExtensionString text,
    PayloadBinary bytea,
    ModifiedOn timestamptz NOT NULL DEFAULT now(),
    Version integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainIdExtensionString, GrainTypeString, ServiceId)
);

INSERT INTO granary.OrleansQuery VALUES
('ReadFromStorageKey', $$
SELECT PayloadBinary, Version FROM granary.orleans_grain_state
WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString AND GrainTypeString = @GrainTypeString
    AND ServiceId = @ServiceId
$$),
('WriteToStorageKey', $$
WITH made AS (
    INSERT INTO granary.orleans_grain_state (
        ServiceId, GrainTypeString, GrainTypeHash, GrainIdHash, GrainIdN0, GrainIdN1, GrainIdExtensionString, PayloadBinary, Version)
    SELECT @ServiceId, @GrainTypeString, @GrainTypeHash, @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString, @PayloadBinary, 1
    WHERE @GrainStateVersion IS NULL
    ON CONFLICT DO NOTHING RETURNING Version
), changed AS (
    UPDATE granary.orleans_grain_state SET PayloadBinary = @PayloadBinary, ModifiedOn = now(), Version = Version + 1
    WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
        AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString AND GrainTypeString = @GrainTypeString
        AND ServiceId = @ServiceId AND Version = @GrainStateVersion
    RETURNING Version
)
SELECT coalesce((SELECT Version FROM made), (SELECT Version FROM changed), @GrainStateVersion) AS NewGrainStateVersion
$$),
('ClearStorageKey', $$
WITH cleared AS (
    UPDATE granary.orleans_grain_state SET PayloadBinary = NULL, ModifiedOn = now(), Version = Version + 1
    WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
        AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString AND GrainTypeString = @GrainTypeString
        AND ServiceId = @ServiceId AND Version = @GrainStateVersion
    RETURNING Version
)
SELECT coalesce((SELECT Version FROM cleared), @GrainStateVersion) AS NewGrainStateVersion
$$),
('DeleteStorageKey', $$
WITH deleted AS (
    DELETE FROM granary.orleans_grain_state
    WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
        AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString AND GrainTypeString = @GrainTypeString
        AND ServiceId = @ServiceId AND Version = @GrainStateVersion
    RETURNING Version + 1 AS Version
)
SELECT coalesce((SELECT Version FROM deleted), @GrainStateVersion) AS NewGrainStateVersion
$$);

-- Reminders. A range of the ring of hashes that goes over its end has its end before its beginning.

CREATE TABLE granary.orleans_reminder (
    ServiceId text NOT NULL,
    GrainId text NOT NULL,
    ReminderName text NOT NULL,
    StartTime timestamptz NOT NULL,
    Period bigint NOT NULL,
    GrainHash integer NOT NULL,
    Version integer NOT NULL,
    PRIMARY KEY (ServiceId, GrainId, ReminderName)
);

CREATE INDEX orleans_reminder_by_hash ON granary.orleans_reminder (ServiceId, GrainHash);

INSERT INTO granary.OrleansQuery VALUES
('UpsertReminderRowKey', $$
INSERT INTO granary.orleans_reminder AS reminder (ServiceId, GrainId, ReminderName, StartTime, Period, GrainHash, Version)
VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash, 0)
ON CONFLICT (ServiceId, GrainId, ReminderName) DO UPDATE SET
    StartTime = excluded.StartTime, Period = excluded.Period, GrainHash = excluded.GrainHash, Version = reminder.Version + 1
RETURNING Version
$$),
('ReadReminderRowKey', $$
SELECT GrainId, ReminderName, StartTime, Period, Version FROM granary.orleans_reminder
WHERE ServiceId = @ServiceId AND GrainId = @GrainId AND ReminderName = @ReminderName
$$),
('ReadReminderRowsKey', $$
SELECT GrainId, ReminderName, StartTime, Period, Version FROM granary.orleans_reminder
WHERE ServiceId = @ServiceId AND GrainId = @GrainId
$$),
('ReadRangeRows1Key', $$
SELECT GrainId, ReminderName, StartTime, Period, Version FROM granary.orleans_reminder
WHERE ServiceId = @ServiceId AND GrainHash > @BeginHash AND GrainHash <= @EndHash
$$),
('ReadRangeRows2Key', $$
SELECT GrainId, ReminderName, StartTime, Period, Version FROM granary.orleans_reminder
WHERE ServiceId = @ServiceId AND (GrainHash > @BeginHash OR GrainHash <= @EndHash)
$$),
('DeleteReminderRowKey', $$
WITH deleted AS (
    DELETE FROM granary.orleans_reminder
    WHERE ServiceId = @ServiceId AND GrainId = @GrainId AND ReminderName = @ReminderName AND Version = @Version
    RETURNING Version
)
SELECT EXISTS (SELECT FROM deleted)
$$),
('DeleteReminderRowsKey', $$
DELETE FROM granary.orleans_reminder WHERE ServiceId = @ServiceId
$$);

-- Streams. A message is there until it is confirmed. Whoever takes it hides it for a while, and counts; the count is the receipt by which
-- it is confirmed, so that a slow receiver does not confirm what was taken again meanwhile. What was taken too often, or expired, becomes
-- a dead letter once nobody has it.

CREATE SEQUENCE granary.orleans_stream_message_id;

CREATE TABLE granary.orleans_stream_message (
    ServiceId text NOT NULL,
    ProviderId text NOT NULL,
    QueueId text NOT NULL,
    MessageId bigint NOT NULL DEFAULT nextval('granary.orleans_stream_message_id'),
    Dequeued integer NOT NULL,
    VisibleOn timestamptz NOT NULL,
    ExpiresOn timestamptz NOT NULL,
    CreatedOn timestamptz NOT NULL,
    ModifiedOn timestamptz NOT NULL,
    Payload bytea NOT NULL,
    PRIMARY KEY (ServiceId, ProviderId, QueueId, MessageId)
);

CREATE TABLE granary.orleans_stream_dead_letter (
    ServiceId text NOT NULL,
    ProviderId text NOT NULL,
    QueueId text NOT NULL,
    MessageId bigint NOT NULL,
    Dequeued integer NOT NULL,
    VisibleOn timestamptz NOT NULL,
    ExpiresOn timestamptz NOT NULL,
    CreatedOn timestamptz NOT NULL,
    ModifiedOn timestamptz NOT NULL,
    DeadOn timestamptz NOT NULL,
    RemoveOn timestamptz NOT NULL,
    Payload bytea NOT NULL,
    PRIMARY KEY (ServiceId, ProviderId, QueueId, MessageId)
);

-- When a queue is cleared up next; one row a queue, whatever number of silos.
CREATE TABLE granary.orleans_stream_eviction (
    ServiceId text NOT NULL,
    ProviderId text NOT NULL,
    QueueId text NOT NULL,
    DueOn timestamptz NOT NULL,
    PRIMARY KEY (ServiceId, ProviderId, QueueId)
);

CREATE FUNCTION granary.orleans_seconds(seconds integer) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$ SELECT make_interval(secs => seconds) $$;

CREATE FUNCTION granary.orleans_bury(
    service text, provider text, queue text, ids bigint[], removal_timeout integer) RETURNS void
LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM granary.orleans_stream_message
        WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue AND MessageId = ANY (ids)
        RETURNING *
    )
    INSERT INTO granary.orleans_stream_dead_letter
    SELECT ServiceId, ProviderId, QueueId, MessageId, Dequeued, VisibleOn, ExpiresOn, CreatedOn, ModifiedOn,
        now(), now() + granary.orleans_seconds(removal_timeout), Payload
    FROM gone
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION granary.orleans_evict_messages(
    service text, provider text, queue text, max_count integer, max_attempts integer, removal_timeout integer) RETURNS void
LANGUAGE sql AS $$
    SELECT granary.orleans_bury(service, provider, queue, array_agg(MessageId), removal_timeout)
    FROM (
        SELECT MessageId FROM granary.orleans_stream_message
        WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue
            AND VisibleOn <= now() AND (Dequeued >= max_attempts OR ExpiresOn <= now())
        ORDER BY MessageId LIMIT max_count FOR UPDATE SKIP LOCKED
    ) AS due
$$;

CREATE FUNCTION granary.orleans_evict_dead_letters(service text, provider text, queue text, max_count integer) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM granary.orleans_stream_dead_letter
    WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue AND MessageId = ANY (ARRAY(
        SELECT MessageId FROM granary.orleans_stream_dead_letter
        WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue AND RemoveOn <= now()
        ORDER BY MessageId LIMIT max_count FOR UPDATE SKIP LOCKED))
$$;

CREATE FUNCTION granary.orleans_take_messages(
    service text, provider text, queue text, max_count integer, max_attempts integer, visibility_timeout integer,
    removal_timeout integer, eviction_interval integer, eviction_batch integer) RETURNS SETOF granary.orleans_stream_message
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (
        SELECT FROM granary.orleans_stream_eviction
        WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue AND DueOn > now()
    ) THEN
        -- Of several silos that find it due one does it; the others find the row already moved on.
        INSERT INTO granary.orleans_stream_eviction AS eviction
        VALUES (service, provider, queue, now() + granary.orleans_seconds(eviction_interval))
        ON CONFLICT (ServiceId, ProviderId, QueueId) DO UPDATE SET DueOn = excluded.DueOn WHERE eviction.DueOn <= now();
        IF FOUND THEN
            PERFORM granary.orleans_evict_messages(service, provider, queue, eviction_batch, max_attempts, removal_timeout);
            PERFORM granary.orleans_evict_dead_letters(service, provider, queue, eviction_batch);
        END IF;
    END IF;
    -- An array is made once; a joined query might be run again for every row, and take more than its limit.
    RETURN QUERY
        UPDATE granary.orleans_stream_message AS message
        SET Dequeued = message.Dequeued + 1, VisibleOn = now() + granary.orleans_seconds(visibility_timeout), ModifiedOn = now()
        WHERE message.ServiceId = service AND message.ProviderId = provider AND message.QueueId = queue
            AND message.MessageId = ANY (ARRAY(
                SELECT MessageId FROM granary.orleans_stream_message
                WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue
                    AND Dequeued < max_attempts AND VisibleOn <= now() AND ExpiresOn > now()
                ORDER BY MessageId LIMIT max_count FOR UPDATE SKIP LOCKED))
        RETURNING message.*;
END
$$;

-- Items are MessageId:Dequeued, parted by |; with a negative count the message is given back instead, to be taken again at once.
CREATE FUNCTION granary.orleans_confirm_messages(service text, provider text, queue text, items text)
RETURNS TABLE (ServiceId text, ProviderId text, QueueId text, MessageId bigint)
LANGUAGE sql AS $$
    WITH item AS (
        SELECT split_part(pair, ':', 1)::bigint AS MessageId, split_part(pair, ':', 2)::integer AS Receipt
        FROM unnest(string_to_array(items, '|')) AS pair
    ), confirmed AS (
        DELETE FROM granary.orleans_stream_message AS message USING item
        WHERE message.ServiceId = service AND message.ProviderId = provider AND message.QueueId = queue
            AND message.MessageId = item.MessageId AND message.Dequeued = item.Receipt
        RETURNING message.MessageId
    ), released AS (
        UPDATE granary.orleans_stream_message AS message SET VisibleOn = now(), ModifiedOn = now() FROM item
        WHERE message.ServiceId = service AND message.ProviderId = provider AND message.QueueId = queue
            AND message.MessageId = item.MessageId AND message.Dequeued = -item.Receipt
        RETURNING message.MessageId
    )
    SELECT service, provider, queue, MessageId FROM (SELECT * FROM confirmed UNION ALL SELECT * FROM released) AS done
$$;

-- A delivery failed: the message can be taken again at once, or is dead when it was taken too often or has expired.
CREATE FUNCTION granary.orleans_fail_message(
    service text, provider text, queue text, id bigint, max_attempts integer, removal_timeout integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE granary.orleans_stream_message SET VisibleOn = now(), ModifiedOn = now()
    WHERE ServiceId = service AND ProviderId = provider AND QueueId = queue AND MessageId = id
        AND Dequeued < max_attempts AND ExpiresOn > now();
    IF NOT FOUND THEN
        PERFORM granary.orleans_bury(service, provider, queue, ARRAY[id], removal_timeout);
    END IF;
END
$$;

INSERT INTO granary.OrleansQuery VALUES
('QueueStreamMessageKey', $$
INSERT INTO granary.orleans_stream_message (
    ServiceId, ProviderId, QueueId, Dequeued, VisibleOn, ExpiresOn, CreatedOn, ModifiedOn, Payload)
VALUES (@ServiceId, @ProviderId, @QueueId, 0, now(), now() + granary.orleans_seconds(@ExpiryTimeout), now(), now(), @Payload)
RETURNING ServiceId, ProviderId, QueueId, MessageId
$$),
('GetStreamMessagesKey', $$
SELECT ServiceId, ProviderId, QueueId, MessageId, Dequeued, VisibleOn, ExpiresOn, CreatedOn, ModifiedOn, Payload
FROM granary.orleans_take_messages(
    @ServiceId, @ProviderId, @QueueId, @MaxCount, @MaxAttempts, @VisibilityTimeout, @RemovalTimeout, @EvictionInterval,
    @EvictionBatchSize)
ORDER BY MessageId
$$),
('ConfirmStreamMessagesKey', $$
SELECT ServiceId, ProviderId, QueueId, MessageId
FROM granary.orleans_confirm_messages(@ServiceId, @ProviderId, @QueueId, @Items)
$$),
('FailStreamMessageKey', $$
SELECT granary.orleans_fail_message(@ServiceId, @ProviderId, @QueueId, @MessageId, @MaxAttempts, @RemovalTimeout)
$$),
('EvictStreamMessagesKey', $$
SELECT granary.orleans_evict_messages(@ServiceId, @ProviderId, @QueueId, @MaxCount, @MaxAttempts, @RemovalTimeout)
$$),
('EvictStreamDeadLettersKey', $$
SELECT granary.orleans_evict_dead_letters(@ServiceId, @ProviderId, @QueueId, @MaxCount)
$$);
