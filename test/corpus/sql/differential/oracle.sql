-- What the oracle asks. In a schema of its own that no generated statement names; as its owner, whatever role or
-- search_path the statement has left behind.

CREATE SCHEMA oracle;
CREATE TABLE oracle.ddl (tag text, kind text, schema text, name text, event text);

CREATE FUNCTION oracle.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
BEGIN
  IF current_setting('transaction_read_only') = 'on' THEN RETURN; END IF;
  IF tg_event = 'ddl_command_end' THEN
    INSERT INTO oracle.ddl SELECT command_tag, object_type, schema_name, object_identity, tg_event
      FROM pg_event_trigger_ddl_commands();
  ELSIF tg_event = 'sql_drop' THEN
    INSERT INTO oracle.ddl SELECT tg_tag, object_type, schema_name, object_identity, tg_event
      FROM pg_event_trigger_dropped_objects();
  ELSE
    INSERT INTO oracle.ddl SELECT tg_tag, 'table', n.nspname, c.relname, tg_event
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = pg_event_trigger_table_rewrite_oid();
  END IF;
END $$;
CREATE EVENT TRIGGER oracle_ddl ON ddl_command_end EXECUTE FUNCTION oracle.note();
CREATE EVENT TRIGGER oracle_drop ON sql_drop EXECUTE FUNCTION oracle.note();
CREATE EVENT TRIGGER oracle_rewrite ON table_rewrite EXECUTE FUNCTION oracle.note();

-- Rows of every table and materialised view, sequences, large objects, settings, locks, and sums over the catalogue.
-- A transaction without a number has changed no row: `tables` and `catalogue` are NULL then.
CREATE FUNCTION oracle.state(whole bool) RETURNS json LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
DECLARE
  one record;
  found json;
  tables text := '';
  sequences jsonb := '{}';
  sums text := '';
  sum text;
  changed bool := whole OR pg_current_xact_id_if_assigned() IS NOT NULL;
BEGIN
  FOR one IN SELECT c.oid, c.oid::regclass AS whole, c.relkind, n.nspname, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'S') AND c.oid >= 16384 AND n.nspname NOT IN ('oracle')
      AND n.nspname NOT LIKE 'pg_toast%' AND (c.relkind <> 'm' OR c.relispopulated)
      AND NOT pg_is_other_temp_schema(n.oid)
  LOOP
    IF one.relkind = 'S' THEN
      EXECUTE format('SELECT json_build_array(last_value, is_called) FROM %s', one.whole) INTO found;
      sequences := sequences || jsonb_build_object(one.oid, found);
    ELSIF changed THEN
      EXECUTE format('SELECT json_agg(json_strip_nulls(to_json(t))) FROM ONLY %s t', one.whole) INTO found;
      -- As text, because jsonb would sort the columns of a row.
      tables := tables || ',"' || one.oid || '":' || json_build_array(
        CASE WHEN one.nspname LIKE 'pg_temp%' THEN 'pg_temp' ELSE one.nspname END || '.' || one.relname, found);
    END IF;
  END LOOP;
  FOR one IN SELECT c.relname FROM pg_class c
    WHERE changed AND c.relkind = 'r' AND c.relnamespace = 'pg_catalog'::regnamespace
      AND c.relname NOT IN ('pg_largeobject', 'pg_largeobject_metadata')
  LOOP
    EXECUTE format('SELECT concat(count(*), '':'', sum(xmin::text::int8)) FROM %I', one.relname) INTO sum;
    sums := sums || one.relname || '=' || sum || ' ';
  END LOOP;
  RETURN json_build_object(
    'tables', CASE WHEN changed THEN ('{' || substr(tables, 2) || '}')::json END,
    'catalogue', CASE WHEN changed THEN sums END,
    'sequences', sequences,
    'objects', (SELECT json_agg(json_build_array(l.loid, l.pageno, md5(l.data))) FROM pg_largeobject l),
    'owners', (SELECT json_agg(m.oid) FROM pg_largeobject_metadata m),
    'settings', (SELECT json_object_agg(s.name, s.setting) FROM pg_settings s
      WHERE s.name NOT LIKE 'transaction_%' AND s.name <> 'search_path' AND s.context IN ('user', 'superuser')),
    'locks', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
    'ddl', (SELECT json_agg(d) FROM oracle.ddl d),
    -- Relations that the transaction has locked as for changing their rows.
    'locked', (SELECT json_agg(DISTINCT
        CASE WHEN n.nspname LIKE 'pg_temp%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname)
      FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
        AND c.relkind IN ('r', 'p', 'v', 'm') AND c.oid >= 16384 AND n.nspname <> 'oracle'
        AND n.nspname NOT LIKE 'pg_toast%'));
END $$;
GRANT USAGE ON SCHEMA oracle TO public;
