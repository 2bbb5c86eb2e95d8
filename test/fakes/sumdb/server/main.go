// A checksum database for tests. It is the server of golang.org/x/mod, so it agrees with the go
// command and shares no code with modferry. It signs with a fresh key, listens on a free port of
// 127.0.0.1 and prints one line of JSON:
//
//	{"address":"127.0.0.1:1234","verifierKey":"sum.example.test+..."}
//
// Each line on standard input is a JSON string with the two go.sum lines of one module version. It
// becomes the next record of the tree, and is answered with the line "ok". The program ends with
// its standard input, so that it never outlives its test.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	name := flag.String("name", "sum.example.test", "name of the database")
	flag.Parse()

	signerKey, verifierKey, err := note.GenerateKey(rand.Reader, *name)
	if err != nil {
		log.Fatalf("Cannot make a key for %q: %v", *name, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatalf("Cannot listen: %v", err)
	}

	sums := &records{text: make(map[string][]byte)}
	tree := &database{ServerOps: sumdb.NewTestServer(signerKey, sums.gosum)}
	go func() { log.Fatal(http.Serve(listener, sumdb.NewServer(tree))) }()

	answer := json.NewEncoder(os.Stdout)
	answer.Encode(map[string]string{"address": listener.Addr().String(), "verifierKey": verifierKey})
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		var lines string
		if err := json.Unmarshal(input.Bytes(), &lines); err != nil {
			log.Fatalf("Cannot read the record %q: %v", input.Text(), err)
		}
		if _, err := tree.Lookup(context.Background(), sums.add(lines)); err != nil {
			log.Fatalf("Cannot add the record %q: %v", lines, err)
		}
		fmt.Println("ok")
	}
}

// records holds the go.sum lines of the records, by "path@version".
type records struct {
	mu   sync.Mutex
	text map[string][]byte
}

func (r *records) add(lines string) module.Version {
	fields := strings.Fields(lines)
	if len(fields) != 6 {
		log.Fatalf("Cannot add the record %q: not two go.sum lines", lines)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	added := module.Version{Path: fields[0], Version: fields[1]}
	r.text[added.String()] = []byte(lines)
	return added
}

func (r *records) gosum(path, version string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text, ok := r.text[path+"@"+version]; ok {
		return text, nil
	}
	return nil, fmt.Errorf("not found: %s@%s: %w", path, version, fs.ErrNotExist)
}

// database corrects the test server in two points: a tile beyond the tree does not crash it, and a
// missing module is an error that the HTTP server answers with a 404.
type database struct{ sumdb.ServerOps }

func (d *database) Lookup(ctx context.Context, m module.Version) (int64, error) {
	id, err := d.ServerOps.Lookup(ctx, m)
	if err != nil {
		return 0, &fs.PathError{Op: "lookup", Path: m.String(), Err: fs.ErrNotExist}
	}
	return id, nil
}

func (d *database) ReadRecords(ctx context.Context, id, n int64) ([][]byte, error) {
	list, err := d.ServerOps.ReadRecords(ctx, id, n)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: fmt.Sprint("record ", id), Err: fs.ErrNotExist}
	}
	return list, nil
}

func (d *database) ReadTileData(ctx context.Context, t tlog.Tile) (data []byte, err error) {
	defer func() {
		if recover() != nil {
			data, err = nil, &fs.PathError{Op: "read", Path: t.Path(), Err: fs.ErrNotExist}
		}
	}()
	return d.ServerOps.ReadTileData(ctx, t)
}
