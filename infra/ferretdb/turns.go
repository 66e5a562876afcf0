package main

// FerretDB reads the documents of an update, changes them and writes them back by id: two updates at the same
// time may both match the same document, which MongoDB never allows. The adapter under test relies on that, so
// writes to one database pass through here one after the other. It never changes a message.

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"

	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

const (
	headerBytes = 16
	maxBytes    = 48_000_000
	opMsg       = 2013
	// A message with this flag expects no answer; an answer with it is followed by another.
	moreToCome = 1 << 1
)

var inTurn = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true,
	"createIndexes": true, "create": true, "drop": true, "dropDatabase": true,
}

type turns struct {
	mutex sync.Mutex
	of    map[string]*sync.Mutex
}

func (t *turns) get(database string) *sync.Mutex {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.of[database] == nil {
		t.of[database] = &sync.Mutex{}
	}
	return t.of[database]
}

func serveInTurn(front net.Listener, behind string) {
	all := &turns{of: map[string]*sync.Mutex{}}
	for {
		client, err := front.Accept()
		if err != nil {
			fail(err.Error())
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", behind)
			if err != nil {
				return
			}
			defer server.Close()
			relay(client, server, all)
		}()
	}
}

func relay(client, server net.Conn, all *turns) {
	fromClient, fromServer := bufio.NewReader(client), bufio.NewReader(server)
	for {
		request, err := readMessage(fromClient)
		if err != nil {
			return
		}
		answers, err := ask(request, server, fromServer, all)
		if err != nil {
			return
		}
		for _, answer := range answers {
			if _, err := client.Write(answer); err != nil {
				return
			}
		}
	}
}

func ask(request []byte, server net.Conn, fromServer *bufio.Reader, all *turns) ([][]byte, error) {
	if command, database := describe(request); inTurn[command] {
		turn := all.get(database)
		turn.Lock()
		defer turn.Unlock()
	}
	if _, err := server.Write(request); err != nil {
		return nil, err
	}
	if flags(request)&moreToCome != 0 {
		return nil, nil
	}
	var answers [][]byte
	for {
		answer, err := readMessage(fromServer)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
		if flags(answer)&moreToCome == 0 {
			return answers, nil
		}
	}
}

func readMessage(from *bufio.Reader) ([]byte, error) {
	start, err := from.Peek(4)
	if err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(start)
	if size < headerBytes || size > maxBytes {
		return nil, errors.New("not a message of MongoDB's protocol")
	}
	message := make([]byte, size)
	_, err = io.ReadFull(from, message)
	return message, err
}

func flags(message []byte) uint32 {
	if len(message) < headerBytes+4 || binary.LittleEndian.Uint32(message[12:]) != opMsg {
		return 0
	}
	return binary.LittleEndian.Uint32(message[headerBytes:])
}

// describe finds the command and the database of a request; both are empty for the old kinds of message.
func describe(message []byte) (command, database string) {
	if len(message) < headerBytes+4 || binary.LittleEndian.Uint32(message[12:]) != opMsg {
		return "", ""
	}
	sections := message[headerBytes+4:]
	for len(sections) > 5 {
		kind, rest := sections[0], sections[1:]
		size := binary.LittleEndian.Uint32(rest)
		if uint64(size) > uint64(len(rest)) {
			return "", ""
		}
		if kind == 0 {
			body := bsoncore.Document(rest[:size])
			first, err := body.IndexErr(0)
			if err != nil {
				return "", ""
			}
			database, _ = body.Lookup("$db").StringValueOK()
			return first.Key(), database
		}
		sections = rest[size:]
	}
	return "", ""
}
