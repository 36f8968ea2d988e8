// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

package gopeer

import (
	"encoding/binary"
	"errors"

	"storj.io/drpc"
)

// Msg is the message gopeer.v1.Msg of golden.proto.
type Msg struct {
	Text string
	Data []byte
	N    int64
}

const (
	textTag = 1<<3 | 2
	dataTag = 2<<3 | 2
	nTag    = 3 << 3
)

var errMalformed = errors.New("the message is malformed")

// encoding is the protobuf encoding of Msg, by hand: one message of three
// fields is not worth a code generator.
type encoding struct{}

func (encoding) Marshal(message drpc.Message) ([]byte, error) {
	msg := message.(*Msg)
	body := make([]byte, 0, len(msg.Text)+len(msg.Data)+32)
	if msg.Text != "" {
		body = binary.AppendUvarint(append(body, textTag), uint64(len(msg.Text)))
		body = append(body, msg.Text...)
	}
	if len(msg.Data) > 0 {
		body = binary.AppendUvarint(append(body, dataTag), uint64(len(msg.Data)))
		body = append(body, msg.Data...)
	}
	if msg.N != 0 {
		body = binary.AppendUvarint(append(body, nTag), uint64(msg.N))
	}
	return body, nil
}

func (encoding) Unmarshal(body []byte, message drpc.Message) error {
	msg := message.(*Msg)
	*msg = Msg{}
	for len(body) > 0 {
		tag, size := binary.Uvarint(body)
		if size <= 0 {
			return errMalformed
		}
		value, valueSize := binary.Uvarint(body[size:])
		if valueSize <= 0 {
			return errMalformed
		}
		body = body[size+valueSize:]
		if tag == nTag {
			msg.N = int64(value)
			continue
		}
		if value > uint64(len(body)) {
			return errMalformed
		}
		switch tag {
		case textTag:
			msg.Text = string(body[:value])
		case dataTag:
			msg.Data = append([]byte(nil), body[:value]...)
		default:
			return errMalformed
		}
		body = body[value:]
	}
	return nil
}

// pattern returns bytes that tell whether they arrived as they were sent.
func pattern(size int) []byte {
	data := make([]byte, size)
	for index := range data {
		data[index] = byte(index % 251)
	}
	return data
}

func isPattern(data []byte) bool {
	for index, each := range data {
		if each != byte(index%251) {
			return false
		}
	}
	return true
}
