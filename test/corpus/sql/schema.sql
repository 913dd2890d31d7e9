-- The shop that the statement corpus runs against. Loaded by a superuser into an empty database.
-- Masked by the corpus policy: public.customers.email, ssn and card, the cards of members, passes and badges, and what visits says.

CREATE TABLE customers (
  id int PRIMARY KEY,
  name text NOT NULL,
  email text UNIQUE,
  ssn text,
  card text,
  notes text
);
CREATE TABLE orders (
  id int PRIMARY KEY,
  customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE,
  total numeric NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'new'
);
CREATE TABLE contacts (email text, note text);
CREATE TABLE audit (at timestamptz DEFAULT now(), what text);
CREATE TABLE inbox (id int PRIMARY KEY, body text);
CREATE SEQUENCE tickets;

INSERT INTO customers VALUES
  (1, 'Ann', 'ann.canary@example.com', '078-05-1120', '4111111111111111', 'likes tea'),
  (2, 'Bob', 'bob.canary@example.com', '219-09-9999', '5500005555555559', NULL),
  (3, 'Cleo', NULL, NULL, NULL, 'new');
INSERT INTO orders SELECT n, n % 3 + 1, n * 1.5, 'new' FROM generate_series(1, 30) n;

CREATE TABLE events (id int, at date NOT NULL, customer_id int, body text, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO events VALUES (1, '2024-05-05', 1, 'login'), (2, '2025-05-05', 2, 'login');

CREATE VIEW customer_names AS SELECT id, name FROM customers;
CREATE VIEW customer_cards AS SELECT id, name, card FROM customers;
CREATE VIEW cards_again AS SELECT * FROM customer_cards;
CREATE MATERIALIZED VIEW customer_mails AS SELECT id, email FROM customers;

CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit (what) VALUES (TG_OP);
  RETURN NULL;
END $$;
CREATE TRIGGER note_order AFTER INSERT OR UPDATE OR DELETE ON orders
  FOR EACH ROW EXECUTE FUNCTION note_order();

CREATE FUNCTION reset_orders() RETURNS int LANGUAGE sql SECURITY DEFINER AS
  'DELETE FROM public.orders; SELECT 1';
CREATE FUNCTION peek(c customers) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT c.email';
CREATE FUNCTION touch(a text, b text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM public.orders;
  RETURN true;
END $$;
CREATE OPERATOR === (FUNCTION = touch, LEFTARG = text, RIGHTARG = text);
CREATE AGGREGATE gather (text) (SFUNC = textcat, STYPE = text);
CREATE PROCEDURE purge() LANGUAGE sql AS 'DELETE FROM public.orders';
CREATE FUNCTION in_view() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM public.orders;
  RETURN NULL;
END $$;
CREATE VIEW order_box AS SELECT id, status FROM orders;
CREATE TRIGGER in_view INSTEAD OF UPDATE ON order_box FOR EACH ROW EXECUTE FUNCTION in_view();
CREATE RULE inbox_also AS ON INSERT TO inbox DO ALSO DELETE FROM orders;

CREATE SCHEMA planted;
CREATE FUNCTION planted.lower(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM public.orders;
  RETURN $1;
END $$;
CREATE TYPE mood AS ENUM ('good', 'bad');

-- What answers whether a value is there already, besides a unique key of columns.
CREATE TABLE members (id int PRIMARY KEY, card text, EXCLUDE USING btree (card WITH =));
CREATE TABLE passes (id int PRIMARY KEY, card text, kind text);
CREATE UNIQUE INDEX ON passes (lower(card));
CREATE TABLE badges (id int, kind text, card text) PARTITION BY LIST (kind);
CREATE TABLE badges_a PARTITION OF badges FOR VALUES IN ('a');
CREATE UNIQUE INDEX ON badges_a (card);

-- A type whose values run code.
CREATE FUNCTION note_code(code text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.audit (what) VALUES (code);
  RETURN true;
END $$;
CREATE DOMAIN code AS text CHECK (note_code(value));
CREATE TABLE coupons (id int, code code);
CREATE TABLE coupon_books (id int, codes code[]);
CREATE VIEW coupon_codes AS SELECT id, name::code AS code FROM customers;
CREATE VIEW coupon_list AS SELECT id, code FROM coupons;

-- Queries by name that a sub-select or a recursion inside the view reads.
CREATE VIEW cards_by_name AS WITH c AS (SELECT id, card FROM customers)
  SELECT o.id, (SELECT max(c.card) FROM c WHERE c.id = o.customer_id) AS found FROM orders o;
CREATE VIEW cards_by_recursion AS WITH RECURSIVE c AS (SELECT card FROM customers),
  r AS (SELECT card AS found, 1 AS n FROM c UNION ALL SELECT found, n + 1 FROM r WHERE n < 2)
  SELECT found FROM r;
CREATE VIEW cards_deep_by_name AS WITH a AS (SELECT card FROM customers),
  b AS (SELECT CASE WHEN true THEN (SELECT max(card) FROM a) END AS found)
  SELECT v.found FROM (VALUES ((SELECT max(found) FROM b))) v(found);
CREATE VIEW names_by_name AS WITH c AS (SELECT id, name FROM customers)
  SELECT o.id, (SELECT max(c.name) FROM c WHERE c.id = o.customer_id) AS found FROM orders o;
CREATE MATERIALIZED VIEW cards_kept_by_name AS SELECT * FROM cards_by_name;

-- Types whose texts are longer or shorter by what a client sets: TimeZone, extra_float_digits, bytea_output, IntervalStyle.
CREATE TABLE visits (id int PRIMARY KEY, seen timestamptz, weight float8, shot bytea, spent interval);
INSERT INTO visits VALUES (1, '2024-03-01 12:00:00+00', 71.25, '\x00ff41', '1 day 02:00:00');
CREATE VIEW visit_times AS SELECT id, seen::text AS seen FROM visits;
