// pgx, run by clients.test.ts: `same URL` prints what it saw, `guard URL MASKED` checks refusals and masks.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var ctx = context.Background()

func show(what string, values ...interface{}) {
	fmt.Println(what, fmt.Sprintf("%+v", values))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(isTrue bool, what ...interface{}) {
	if !isTrue {
		panic(fmt.Sprint(what...))
	}
}

func fails(what string, err error) *pgconn.PgError {
	var said *pgconn.PgError
	check(err != nil, "no error: ", what)
	if errors.As(err, &said) {
		show(what, said.Severity, said.Code, said.Message, said.Detail, said.Hint, said.Position, said.TableName, said.ConstraintName)
	} else {
		show(what, pgconn.Timeout(err), err.Error() == "no rows in result set")
	}
	return said
}

func open(url string, change func(*pgx.ConnConfig)) *pgx.Conn {
	config, err := pgx.ParseConfig(url)
	must(err)
	config.TLSConfig = nil
	if change != nil {
		change(config)
	}
	db, err := pgx.ConnectConfig(ctx, config)
	must(err)
	return db
}

func one(db *pgx.Conn, text string, values ...interface{}) []interface{} {
	rows, err := db.Query(ctx, text, values...)
	must(err)
	defer rows.Close()
	var all []interface{}
	for rows.Next() {
		row, err := rows.Values()
		must(err)
		all = append(all, row...)
	}
	must(rows.Err())
	return all
}

func exec(db *pgx.Conn, text string, values ...interface{}) error {
	_, err := db.Exec(ctx, text, values...)
	return err
}

func types(db *pgx.Conn) {
	day := time.Date(2024, 2, 29, 12, 0, 0, 5000, time.UTC)
	values := map[string]interface{}{
		"int2": int16(-7), "int4": int32(7), "int8": int64(-1 << 63), "float8": 1e300, "bool": true, "text": "it's é\U0001f600",
		"bytea": []byte{0, 255, 16}, "date": day, "timestamptz": day, "numeric": "123456789012345678901234567890.000123",
		"uuid": "12345678-1234-5678-1234-567812345678", "jsonb": map[string]interface{}{"a": []int{1}}, "json": map[string]int{"b": 2},
		"inet": "10.1.2.3/32", "int4[]": []int32{1, 2}, "text[]": []string{"a,b", "\"", "{}"}, "timestamptz[]": []time.Time{day}, "mood": "good",
		"interval": 3*time.Hour + time.Microsecond,
	}
	for _, name := range []string{"int2", "int4", "int8", "float8", "bool", "text", "bytea", "date", "timestamptz", "numeric", "uuid", "jsonb", "json",
		"inet", "int4[]", "text[]", "timestamptz[]", "mood", "interval"} {
		show(name, one(db, "SELECT $1::"+name+", ($1::"+name+")::text", values[name])...)
	}
	show("nothing", one(db, "SELECT $1::int, $2::text[]", nil, nil)...)
	show("row", one(db, "SELECT id, name, email, born, score::text, tags FROM customers WHERE id = $1", 3)...)
	rows, err := db.Query(ctx, "SELECT * FROM orders LIMIT 0")
	must(err)
	rows.Close()
	for _, field := range rows.FieldDescriptions() {
		show("field", string(field.Name), field.DataTypeOID, field.Format, field.TableAttributeNumber)
	}
}

func statements(db *pgx.Conn) {
	for round := 0; round < 3; round++ {
		for n := 0; n < 40; n++ {
			var sum int
			must(db.QueryRow(ctx, fmt.Sprintf("SELECT %d + $1::int", n), round).Scan(&sum))
			check(sum == n+round, sum)
		}
	}
	about, err := db.Prepare(ctx, "mine", "SELECT id, name FROM customers WHERE id = $1 AND born > $2")
	must(err)
	show("prepared", about.ParamOIDs, len(about.Fields))
	show("ran", one(db, "mine", 7, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC))...)
	must(db.Deallocate(ctx, "mine"))
	show("gone", one(db, "SELECT count(*) FROM pg_prepared_statements WHERE name = 'mine'")...)
	must(exec(db, "CREATE TEMP TABLE changing (a int)"))
	show("before", one(db, "SELECT * FROM changing")...)
	must(exec(db, "ALTER TABLE changing ADD COLUMN b text"))
	must(exec(db, "INSERT INTO changing VALUES (1, 'x')"))
	show("after", len(one(db, "SELECT *, a AS c FROM changing")))
	must(exec(db, "DROP TABLE changing"))
	results, err := db.PgConn().Exec(ctx, "SELECT 1; SELECT 2; UPDATE customers SET score = score WHERE id = 1").ReadAll()
	must(err)
	for _, result := range results {
		show("several", string(result.CommandTag), result.Rows)
	}
}

func transactions(db *pgx.Conn) {
	insert := "INSERT INTO customers (id, name) VALUES (7401, 'x')"
	count := "SELECT count(*) FROM customers WHERE id = 7401"
	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
	must(err)
	must(exec(tx.Conn(), insert))
	inner, err := tx.Begin(ctx)
	must(err)
	_, err = inner.Exec(ctx, insert)
	fails("twice", err)
	_, err = inner.Exec(ctx, "SELECT 1")
	fails("aborted", err)
	must(inner.Rollback(ctx))
	show("still", one(db, count)...)
	must(tx.Rollback(ctx))
	show("gone", one(db, count)...)
	tx, err = db.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	must(err)
	_, err = tx.Exec(ctx, insert)
	fails("read only", err)
	show("commit", tx.Commit(ctx))
}

func batches(db *pgx.Conn) {
	must(exec(db, "CREATE TEMP TABLE many (a int PRIMARY KEY, b text)"))
	batch := &pgx.Batch{}
	for n := 0; n < 500; n++ {
		batch.Queue("INSERT INTO many VALUES ($1, $2)", n, fmt.Sprint(n))
	}
	batch.Queue("SELECT count(*) FROM many")
	results := db.SendBatch(ctx, batch)
	for n := 0; n < 500; n++ {
		tag, err := results.Exec()
		must(err)
		check(tag.RowsAffected() == 1, tag)
	}
	var count int
	must(results.QueryRow().Scan(&count))
	must(results.Close())
	show("batch", count)
	batch = &pgx.Batch{}
	for _, n := range []int{600, 7, 601} {
		batch.Queue("INSERT INTO many VALUES ($1, 'x')", n)
	}
	results = db.SendBatch(ctx, batch)
	_, err := results.Exec()
	show("first", err)
	_, err = results.Exec()
	fails("twice", err)
	_, err = results.Exec()
	check(err != nil, "went on")
	check(results.Close() != nil, "closed well")
	show("none of them", one(db, "SELECT count(*) FROM many")...)
	must(exec(db, "DROP TABLE many"))
}

func copies(db *pgx.Conn) {
	must(exec(db, "CREATE TEMP TABLE copied (a int, b text, c timestamptz, d int[])"))
	rows := [][]interface{}{}
	for n := 0; n < 20000; n++ {
		rows = append(rows, []interface{}{int32(n), strings.Repeat("é", n%40), time.Unix(int64(n), 0), []int32{int32(n)}})
	}
	copied, err := db.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"a", "b", "c", "d"}, pgx.CopyFromRows(rows))
	show("in", copied, err)
	show("sum", one(db, "SELECT count(*), sum(a), sum(length(b)), sum(d[1]) FROM copied")...)
	for _, form := range []string{"text", "csv", "binary"} {
		out := &bytes.Buffer{}
		tag, err := db.PgConn().CopyTo(ctx, out, "COPY (SELECT a, b FROM copied ORDER BY a LIMIT 5000) TO STDOUT (FORMAT "+form+")")
		show("out", string(tag), err, out.Len())
		must(exec(db, "CREATE TEMP TABLE again (a int, b text)"))
		tag, err = db.PgConn().CopyFrom(ctx, out, "COPY again FROM STDIN (FORMAT "+form+")")
		show("back", string(tag), err)
		must(exec(db, "DROP TABLE again"))
	}
	_, err = db.PgConn().CopyFrom(ctx, strings.NewReader("x\ty\n"), "COPY copied (a, b) FROM STDIN")
	fails("bad", err)
	_, err = db.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"a"}, pgx.CopyFromRows([][]interface{}{{int32(1)}, {"no number"}}))
	check(err != nil, "copied")
	show("after", one(db, "SELECT count(*) FROM copied")...)
	must(exec(db, "DROP TABLE copied"))
}

func cursors(db *pgx.Conn) {
	tx, err := db.Begin(ctx)
	must(err)
	must(exec(db, "DECLARE walk SCROLL CURSOR FOR SELECT id FROM customers ORDER BY id"))
	show("some", one(db, "FETCH 3 FROM walk")...)
	show("last", one(db, "FETCH LAST FROM walk")...)
	show("back", one(db, "FETCH BACKWARD 2 FROM walk")...)
	must(exec(db, "MOVE ABSOLUTE 500 FROM walk"))
	show("moved", one(db, "FETCH NEXT FROM walk")...)
	must(tx.Rollback(ctx))
}

func limits(db *pgx.Conn, url string) {
	must(exec(db, "SET statement_timeout = '200ms'"))
	fails("its own", exec(db, "SELECT pg_sleep($1)", 20))
	must(exec(db, "RESET statement_timeout"))
	asked := make(chan error)
	go func() {
		time.Sleep(400 * time.Millisecond)
		asked <- db.PgConn().CancelRequest(ctx)
	}()
	fails("cancelled", exec(db, "SELECT pg_sleep(20)"))
	must(<-asked)
	// PostgreSQL signals twice for one cancel; the second may come late on a busy machine.
	time.Sleep(300 * time.Millisecond)
	show("after", one(db, "SELECT 1")...)
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	other := open(url, nil)
	_, err := other.Exec(short, "SELECT pg_sleep(20)")
	fails("timeout", err)
	show("closed", other.IsClosed())
}

func errorsOf(db *pgx.Conn) {
	fails("column", exec(db, "SELECT naem FROM customers"))
	fails("table", exec(db, "SELECT * FROM nowhere"))
	fails("unique", exec(db, "INSERT INTO customers (id, name) VALUES ($1, 'x')", 1))
	fails("foreign", exec(db, "INSERT INTO orders (customer_id) VALUES (0)"))
	fails("zero", exec(db, "SELECT 1 / $1::int", 0))
	var syntax *pgconn.PgError
	check(errors.As(exec(db, "SELECT FROM WHERE x"), &syntax), "understood")
	show("syntax", syntax.Code, syntax.Message, syntax.Position)
	fails("no rows", db.QueryRow(ctx, "SELECT 1 WHERE false").Scan(new(int)))
}

func notifications(url string) {
	var notices []string
	db := open(url, func(config *pgx.ConnConfig) {
		config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) { notices = append(notices, notice.Code+notice.Message) }
	})
	must(exec(db, "LISTEN news"))
	other := open(url, nil)
	must(exec(other, "SELECT pg_notify('news', $1)", "one"))
	must(exec(other, "NOTIFY news, 'two'"))
	must(other.Close(ctx))
	for n := 0; n < 2; n++ {
		soon, cancel := context.WithTimeout(ctx, 10*time.Second)
		heard, err := db.WaitForNotification(soon)
		cancel()
		must(err)
		show("heard", heard.Channel, heard.Payload)
	}
	must(exec(db, "ROLLBACK"))
	show("notices", notices)
	must(db.Close(ctx))
}

func pools(url string) {
	pool, err := pgxpool.Connect(ctx, url+"?sslmode=disable&pool_max_conns=5")
	must(err)
	done := make(chan int)
	for n := 0; n < 200; n++ {
		go func(n int) {
			var twice int
			must(pool.QueryRow(ctx, "SELECT 2 * $1::int", n).Scan(&twice))
			done <- twice
		}(n)
	}
	sum := 0
	for n := 0; n < 200; n++ {
		sum += <-done
	}
	pool.Close()
	show("pool", sum)
}

func same(url string) {
	for _, simple := range []bool{false, true} {
		db := open(url, func(config *pgx.ConnConfig) { config.PreferSimpleProtocol = simple })
		show("#", "simple", simple)
		if !simple {
			types(db)
			statements(db)
			batches(db)
			copies(db)
		}
		transactions(db)
		cursors(db)
		errorsOf(db)
		must(db.Close(ctx))
	}
	db := open(url, nil)
	limits(db, url)
	must(db.Close(ctx))
	notifications(url)
	pools(url)
}

func guard(url string, masked string) {
	for _, simple := range []bool{false, true} {
		db := open(url, func(config *pgx.ConnConfig) { config.PreferSimpleProtocol = simple })
		for at, act := range []func() error{
			func() error { return exec(db, "DELETE FROM orders WHERE id = 1") },
			func() error { return exec(db, "DELETE FROM orders WHERE id = $1", 1) },
			func() error { return exec(db, "DROP TABLE orders") },
			func() error {
				_, err := db.PgConn().CopyFrom(ctx, strings.NewReader("1\t2\n"), "COPY orders (id, customer_id) FROM STDIN")
				return err
			},
			func() error {
				batch := &pgx.Batch{}
				batch.Queue("SELECT $1::int", 1)
				batch.Queue("UPDATE orders SET total = $1 WHERE id = $2", 1, 1)
				results := db.SendBatch(ctx, batch)
				results.Exec()
				_, err := results.Exec()
				if failed := results.Close(); err == nil {
					err = failed
				}
				return err
			},
		} {
			var said *pgconn.PgError
			check(errors.As(act(), &said), "was let through: ", at)
			check(said.Code == "42501", said.Code)
			check(strings.HasPrefix(said.Message, "No role of this identity allows"), said.Message)
			check(strings.Contains(said.Detail, `"verdict":"not_allowed"`), said.Detail)
			check(said.Hint != "", "no hint")
			check(len(one(db, "SELECT 1")) == 1, "goes on")
		}
		tx, err := db.Begin(ctx)
		must(err)
		must(exec(db, "SELECT 1"))
		check(exec(db, "DROP TABLE orders") != nil, "was let through")
		var said *pgconn.PgError
		check(errors.As(exec(db, "SELECT 1"), &said) && said.Code == "25P02", "the transaction goes on")
		must(tx.Rollback(ctx))
		must(db.Close(ctx))
	}
	for _, simple := range []bool{false, true} {
		db := open(masked, func(config *pgx.ConnConfig) { config.PreferSimpleProtocol = simple })
		check(fmt.Sprint(one(db, "SELECT id, name, email FROM customers WHERE id = $1", 7)) == "[7 Name 7 ****]", "masked")
		for _, email := range one(db, "SELECT email FROM customers") {
			check(email == "****", email)
		}
		out := &bytes.Buffer{}
		_, err := db.PgConn().CopyTo(ctx, out, "COPY customers (id, email) TO STDOUT")
		must(err)
		check(strings.Contains(out.String(), "\n77\t****\n") && !strings.Contains(out.String(), "@"), "copy")
		var said *pgconn.PgError
		check(errors.As(exec(db, "SELECT id FROM customers WHERE email = $1", "c7@example.com"), &said) && said.Code == "42501", "condition")
		check(!strings.Contains(said.Detail+said.Message, "c7@"), said.Detail)
		must(db.Close(ctx))
	}
	fmt.Println("fine")
}

func main() {
	if os.Args[1] == "same" {
		same(os.Args[2])
	} else {
		guard(os.Args[2], os.Args[3])
	}
}
