// Go's own verdicts on module zips, for tests, by the packages dirhash and zip of golang.org/x/mod,
// which the go command uses. Each line on standard input is a JSON object, and is answered with a
// line of JSON:
//
//	{"zip":"/tmp/a.zip","path":"example.com/m","version":"v1.0.0"}   {"h1":"h1:...","hashError":"","checkError":"","unzipError":""}
//	{"mod":"/tmp/go.mod"}                                            {"h1":"h1:..."}
//	{"time":"/tmp/a.zip","runs":5}                                   {"h1":"h1:...","seconds":[0.1,...]}
//	{"unicode":true}                                                 {"version":"17.0.0","orbits":[[65,97],...],"letters":[[65,90],...]}
//
// Orbits are those of unicode.SimpleFold with at least two members. Letters are the ranges of
// unicode.IsLetter.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"
	"time"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

type request struct {
	Zip, Path, Version string
	Mod                string
	Time               string
	Runs               int
	Unicode            bool
}

func main() {
	log.SetFlags(0)
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	output := bufio.NewWriter(os.Stdout)
	for input.Scan() {
		var r request
		if err := json.Unmarshal(input.Bytes(), &r); err != nil {
			log.Fatalf("Cannot read the request %q: %v", input.Text(), err)
		}
		if err := json.NewEncoder(output).Encode(answer(r)); err != nil {
			log.Fatalf("Cannot answer: %v", err)
		}
		output.Flush()
	}
}

func answer(r request) map[string]any {
	switch {
	case r.Zip != "":
		return judge(r.Zip, module.Version{Path: r.Path, Version: r.Version})
	case r.Mod != "":
		open := func(string) (io.ReadCloser, error) { return os.Open(r.Mod) }
		h1, err := dirhash.Hash1([]string{"go.mod"}, open)
		return map[string]any{"h1": h1, "hashError": text(err)}
	case r.Time != "":
		return measure(r.Time, r.Runs)
	default:
		return map[string]any{"version": unicode.Version, "orbits": orbits(), "letters": letters()}
	}
}

func judge(file string, m module.Version) map[string]any {
	h1, hashErr := dirhash.HashZip(file, dirhash.Hash1)
	_, checkErr := zip.CheckZip(m, file)
	directory, err := os.MkdirTemp("", "modferry-unzip-")
	if err != nil {
		log.Fatalf("Cannot make a directory: %v", err)
	}
	defer os.RemoveAll(directory)
	unzipErr := zip.Unzip(directory, m, file)
	return map[string]any{
		"h1": h1, "hashError": text(hashErr), "checkError": text(checkErr), "unzipError": text(unzipErr),
	}
}

func measure(file string, runs int) map[string]any {
	var h1 string
	seconds := []float64{}
	for range runs {
		started := time.Now()
		sum, err := dirhash.HashZip(file, dirhash.Hash1)
		if err != nil {
			log.Fatalf("Cannot hash %s: %v", file, err)
		}
		h1, seconds = sum, append(seconds, time.Since(started).Seconds())
	}
	return map[string]any{"h1": h1, "seconds": seconds}
}

func orbits() [][]rune {
	var all [][]rune
	for first := rune(0); first <= unicode.MaxRune; first++ {
		orbit := []rune{first}
		for r := unicode.SimpleFold(first); r > first; r = unicode.SimpleFold(r) {
			orbit = append(orbit, r)
		}
		// An orbit is listed once, at its least member: from any other member the loop wraps around
		// early.
		if least := unicode.SimpleFold(orbit[len(orbit)-1]) == first; least && len(orbit) > 1 {
			all = append(all, orbit)
		}
	}
	return all
}

func letters() [][2]rune {
	var ranges [][2]rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		if last := len(ranges) - 1; last >= 0 && ranges[last][1] == r-1 {
			ranges[last][1] = r
		} else {
			ranges = append(ranges, [2]rune{r, r})
		}
	}
	return ranges
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
