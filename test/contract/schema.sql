-- What the target of every transcript holds. Loaded into an empty database by fixture.ts.
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text, ssn text, notes text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, total numeric, status text);
CREATE SCHEMA other;
CREATE TABLE other.customers (id int PRIMARY KEY, name text, email text, ssn text, notes text);
CREATE VIEW customer_names AS SELECT id, name FROM customers;
