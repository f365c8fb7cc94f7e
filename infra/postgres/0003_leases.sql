-- Which replicas may serve reads of a partition, by this server's clock. A row an engine; what has run out is removed now and then.
CREATE TABLE granary.lease (
    incarnation uuid NOT NULL,
    partition integer NOT NULL,
    instance uuid NOT NULL,
    replica integer NOT NULL,
    expires timestamptz NOT NULL,
    PRIMARY KEY (incarnation, partition, instance)
) WITH (fillfactor = 50);
