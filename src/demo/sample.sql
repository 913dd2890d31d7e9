-- Sample data of the demo: the same rows on every machine. Names are invented; card numbers are of the ranges that
-- payment networks keep for tests, with a valid check digit; no social security number of area 900 or above exists.
-- Run as the owner of the database, in one transaction.

CREATE FUNCTION pg_temp.with_check_digit(digits text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT digits || ((10 - sum(CASE WHEN (length(digits) - place) % 2 = 0
                                   THEN digit * 2 - CASE WHEN digit > 4 THEN 9 ELSE 0 END
                                   ELSE digit END) % 10) % 10)::text
  FROM (SELECT place, substr(digits, place, 1)::int AS digit FROM generate_series(1, length(digits)) AS place) AS digits_of
$$;

CREATE TABLE customers (
  id integer PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE,
  ssn text NOT NULL,
  card text NOT NULL,
  created_at timestamptz NOT NULL
);

INSERT INTO customers
SELECT id,
       first || ' ' || last,
       lower(first) || '.' || lower(last) || '.' || id || '@example.com',
       to_char(1 + id % 665, 'FM000') || '-' || to_char(1 + id * 7 % 99, 'FM00') || '-' || to_char(1 + id * 31 % 9999, 'FM0000'),
       pg_temp.with_check_digit((ARRAY['400000', '555555', '601100'])[1 + id % 3] || to_char(id::bigint * 104729 % 1000000000, 'FM000000000')),
       timestamptz '2023-01-01 00:00:00+00' + id * interval '97 minutes'
FROM generate_series(1, 10000) AS id,
     LATERAL (SELECT (ARRAY['Ada', 'Bruno', 'Chiara', 'Deniz', 'Elif', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas',
                            'Kaya', 'Lena', 'Mateo', 'Noor', 'Olga', 'Pavel', 'Rosa', 'Sven', 'Tala', 'Uma'])[1 + id % 20] AS first,
                     (ARRAY['Abel', 'Berg', 'Costa', 'Dahl', 'Eriksen', 'Falk', 'Gomez', 'Haas', 'Ivanov', 'Jung',
                            'Keller', 'Lindt', 'Moreau', 'Nowak', 'Ortiz', 'Petrov', 'Rossi', 'Silva', 'Toth'])[1 + id % 19] AS last) AS person;

CREATE TABLE orders (
  id integer PRIMARY KEY,
  customer_id integer NOT NULL,
  total numeric(10, 2) NOT NULL,
  status text NOT NULL,
  note text,
  created_at timestamptz NOT NULL
);

-- Now and then somebody wrote into a note what does not belong there: detectors find it, columns do not name it.
INSERT INTO orders
SELECT n,
       customers.id,
       (500 + n::bigint * 48271 % 99500) / 100.0,
       (ARRAY['paid', 'shipped', 'delivered', 'delivered', 'returned'])[1 + n % 5],
       CASE WHEN n % 500 = 0 THEN 'Customer paid by phone with card ' || card
            WHEN n % 350 = 0 THEN 'Send the invoice to ' || email
            WHEN n % 11 = 0 THEN 'Leave with the neighbour'
       END,
       timestamptz '2024-01-01 00:00:00+00' + n * interval '3 minutes'
FROM generate_series(1, 300000) AS n
JOIN customers ON customers.id = 1 + (n::bigint * 7919 % 10000)::int
ORDER BY n;

CREATE INDEX ON orders (customer_id);
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);
ANALYZE customers, orders;
