-- Ladder: a row with the masked column in it.
\set aid random(1, 1000000)
SELECT aid, filler FROM pgbench_accounts WHERE aid = :aid;
