// The verdicts of golang.org/x/mod/sumdb on keys, notes, tree heads, records, trees and tiles, for
// tests. Each line on standard input is a JSON object, and is answered with a line of JSON. []byte
// is base64:
//
//	{"op":"key","key":"name+hash+key"}                     {"ok":true}
//	{"op":"open","key":"...","data":"..."}                 {"kind":"verified","text":"..."}
//	{"op":"head","data":"..."}                             {"ok":true,"size":7,"hash":"..."}
//	{"op":"record","data":"..."}                           {"ok":true,"id":7,"text":"...","rest":"..."}
//	{"op":"index","level":8,"n":0}                         {"index":510,"path":"tile/8/1/000.p/1"}
//	{"op":"split","index":510}                             {"level":8,"n":0}
//	{"op":"add","records":["...", "..."]}                  {"size":2}
//	{"op":"tree","size":7,"old":3,"id":2}                  {"hash":"...","treeProof":["..."],"recordProof":["..."]}
//	{"op":"check","size":7,"hash":"...",...,"proof":[...]} {"tree":true,"record":false}
//	{"op":"read","size":7,"hash":"...","index":2,"tiles":{"tile/8/0/000.p/7":"..."}}  {"ok":true,"hash":"..."}
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Op      string
	Key     string
	Data    []byte
	Level   int
	N       int64
	Index   int64
	Records [][]byte
	Size    int64
	Old     int64
	ID      int64
	Hash    []byte
	OldHash []byte
	Record  []byte
	Proof   [][]byte
	Tiles   map[string][]byte
}

type answer = map[string]any

func main() {
	log.SetFlags(0)
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	output := bufio.NewWriter(os.Stdout)
	for input.Scan() {
		var r request
		if err := json.Unmarshal(input.Bytes(), &r); err != nil {
			log.Fatalf("Cannot read the request %q: %v", input.Text(), err)
		}
		judge, ok := judges[r.Op]
		if !ok {
			log.Fatalf("Cannot judge %q", r.Op)
		}
		if err := json.NewEncoder(output).Encode(judge(r)); err != nil {
			log.Fatalf("Cannot answer: %v", err)
		}
		output.Flush()
	}
}

var judges = map[string]func(request) answer{
	"key": func(r request) answer {
		_, err := note.NewVerifier(r.Key)
		return answer{"ok": err == nil}
	},
	"open": open,
	"head": func(r request) answer {
		tree, err := tlog.ParseTree(r.Data)
		return answer{"ok": err == nil, "size": tree.N, "hash": tree.Hash[:]}
	},
	"record": func(r request) answer {
		id, text, rest, err := tlog.ParseRecord(r.Data)
		return answer{"ok": err == nil, "id": id, "text": text, "rest": rest}
	},
	"index": func(r request) answer {
		index := tlog.StoredHashIndex(r.Level, r.N)
		return answer{"index": index, "path": tlog.TileForIndex(8, index).Path()}
	},
	"split": func(r request) answer {
		level, n := tlog.SplitStoredHashIndex(r.Index)
		return answer{"level": level, "n": n}
	},
	"add":   add,
	"tree":  tree,
	"check": check,
	"read":  read,
}

func open(r request) answer {
	verifier, err := note.NewVerifier(r.Key)
	if err != nil {
		log.Fatalf("Cannot use the key %q: %v", r.Key, err)
	}
	opened, err := note.Open(r.Data, note.VerifierList(verifier))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case err == nil:
		return answer{"kind": "verified", "text": []byte(opened.Text)}
	case errors.As(err, &unverified):
		return answer{"kind": "unsigned"}
	case errors.As(err, &invalid):
		return answer{"kind": "forged"}
	default:
		return answer{"kind": "malformed"}
	}
}

// hashes is the log that records are added to.
var hashes stored
var records int64

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, index := range indexes {
		list = append(list, s[index])
	}
	return list, nil
}

func add(r request) answer {
	for _, text := range r.Records {
		more, err := tlog.StoredHashes(records, text, hashes)
		if err != nil {
			log.Fatalf("Cannot add the record %q: %v", text, err)
		}
		hashes = append(hashes, more...)
		records++
	}
	return answer{"size": records}
}

func tree(r request) answer {
	hash, err := tlog.TreeHash(r.Size, hashes)
	treeProof, err1 := tlog.ProveTree(r.Size, r.Old, hashes)
	recordProof, err2 := tlog.ProveRecord(r.Size, r.ID, hashes)
	if err := errors.Join(err, err1, err2); err != nil {
		log.Fatalf("Cannot prove: %v", err)
	}
	return answer{"hash": hash[:], "treeProof": list(treeProof), "recordProof": list(recordProof)}
}

func list(hashes []tlog.Hash) [][]byte {
	all := [][]byte{}
	for _, hash := range hashes {
		all = append(all, hash[:])
	}
	return all
}

func check(r request) answer {
	var proof []tlog.Hash
	for _, hash := range r.Proof {
		proof = append(proof, tlog.Hash(hash))
	}
	return answer{
		"tree":   tlog.CheckTree(proof, r.Size, tlog.Hash(r.Hash), r.Old, tlog.Hash(r.OldHash)) == nil,
		"record": tlog.CheckRecord(proof, r.Size, tlog.Hash(r.Hash), r.ID, tlog.Hash(r.Record)) == nil,
	}
}

// tiles is a tlog.TileReader of the tiles in a request.
type tiles map[string][]byte

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range wanted {
		body, ok := t[tile.Path()]
		if !ok {
			return nil, fmt.Errorf("no %s", tile.Path())
		}
		data = append(data, body)
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func read(r request) answer {
	head := tlog.Tree{N: r.Size, Hash: tlog.Hash(r.Hash)}
	found, err := tlog.TileHashReader(head, tiles(r.Tiles)).ReadHashes([]int64{r.Index})
	if err != nil {
		return answer{"ok": false, "error": err.Error()}
	}
	return answer{"ok": true, "hash": found[0][:]}
}
