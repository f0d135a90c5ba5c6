/** The numbered statements of MQTT 5.0 (appendix B), each in a few words of ours. Columns as in clauses311.ts. */
export const CLAUSES_5 = `
1.5.4-1  | both   | text is well-formed UTF-8 without surrogates
1.5.4-2  | both   | text holds no U+0000
1.5.4-3  | both   | EF BB BF in a text is U+FEFF and is neither skipped nor cut off
1.5.5-1  | both   | a variable byte integer takes as few bytes as it can
1.5.7-1  | both   | both texts of a pair are texts
2.1.3-1  | both   | reserved flag bits have the value the table lists
2.2.1-2  | both   | a PUBLISH of QoS 0 has no packet id
2.2.1-3  | client | SUBSCRIBE, UNSUBSCRIBE and PUBLISH above QoS 0 get a packet id not 0 and not in use
2.2.1-4  | server | a PUBLISH of the server above QoS 0 gets a packet id not 0 and not in use
2.2.1-5  | both   | PUBACK, PUBREC, PUBREL and PUBCOMP carry the packet id of their PUBLISH
2.2.1-6  | server | SUBACK and UNSUBACK carry the packet id of their request
2.2.2-1  | both   | no properties are told by a length of 0
3.1.0-1  | client | the first packet of a client is CONNECT
3.1.0-2  | server | a second CONNECT is a protocol error: the connection closes
3.1.2-1  | both   | the protocol name is MQTT; a server that will not have another may say 0x84, and closes
3.1.2-2  | server | a protocol version it will not have: 0x84 perhaps, then close
3.1.2-3  | server | the reserved connect flag must be 0
3.1.2-4  | both   | clean start discards the former session
3.1.2-5  | server | without clean start the session that is there goes on
3.1.2-6  | server | without clean start and without a session a new one is made
3.1.2-7  | server | a will is stored with the session
3.1.2-8  | server | a will is sent when its delay or the session is over, unless DISCONNECT 0 or a new connection came
3.1.2-9  | client | the will flag comes with will properties, topic and payload
3.1.2-10 | server | a will is forgotten once it was sent or DISCONNECT 0 came
3.1.2-11 | client | no will flag: will QoS is 0
3.1.2-12 | client | will QoS is 0, 1 or 2
3.1.2-13 | client | no will flag: will retain is 0
3.1.2-14 | server | without will retain the will is no retained message
3.1.2-15 | server | with will retain the will is a retained message
3.1.2-16 | client | no user name flag: no user name
3.1.2-17 | client | the user name flag comes with a user name
3.1.2-18 | client | no password flag: no password
3.1.2-19 | client | the password flag comes with a password
3.1.2-20 | client | a client that has nothing else to send sends PINGREQ in time
3.1.2-21 | client | the client keeps to the server keep alive if there is one
3.1.2-22 | server | a client silent for one and a half times its keep alive is cut off
3.1.2-23 | both   | the session is stored after the connection when its expiry is above 0
3.1.2-24 | server | no packet larger than the client's maximum is sent to it
3.1.2-25 | server | a message that would be larger is dropped for this client as if it had been sent
3.1.2-26 | server | no topic alias above the client's maximum is sent to it
3.1.2-27 | server | no topic alias at all where that is 0 or absent
3.1.2-28 | server | no response information where the client asked for none
3.1.2-29 | server | no reason string or user property but on PUBLISH, CONNACK, DISCONNECT where the client wants none
3.1.2-30 | client | with an authentication method only AUTH or DISCONNECT is sent before CONNACK
3.1.3-1  | client | the fields come in order: client id, will properties, topic, payload, user name, password
3.1.3-2  | both   | the client id names the state of the session on both sides
3.1.3-3  | client | the client id is there, and first
3.1.3-4  | client | the client id is UTF-8
3.1.3-5  | server | client ids of 1 to 23 letters and digits are accepted
3.1.3-6  | server | an empty client id, where allowed, gets a unique one
3.1.3-7  | server | it is handled as if that had been sent, and the CONNACK tells it
3.1.3-8  | server | a client id that is refused: 0x85 perhaps, then close
3.1.3-9  | server | a new connection to the session within the will delay: the will is not sent
3.1.3-10 | server | a will keeps its user properties in order
3.1.3-11 | client | the will topic is UTF-8
3.1.3-12 | client | the user name is UTF-8
3.1.4-1  | server | a CONNECT that is malformed closes the connection
3.1.4-2  | server | a CONNECT that fails authentication or another check closes the connection
3.1.4-3  | server | a client id that is connected already: the older connection gets 0x8E and is closed
3.1.4-4  | server | a valid CONNECT is handled by its clean start flag
3.1.4-5  | server | a valid CONNECT is answered with reason code 0
3.1.4-6  | server | nothing but AUTH behind a refused CONNECT is handled
3.2.0-1  | server | CONNACK comes before any packet but AUTH
3.2.0-2  | server | there is no more than one CONNACK on a connection
3.2.2-1  | server | bits 7 to 1 of the acknowledge flags are 0
3.2.2-2  | server | session present is 0 with clean start
3.2.2-3  | server | without clean start session present tells whether there was a session
3.2.2-4  | client | session present without a session of its own: the client closes
3.2.2-5  | client | no session present: the client discards its own
3.2.2-6  | server | session present is 0 when the reason code is not
3.2.2-7  | server | after a reason code of 0x80 or above the connection closes
3.2.2-8  | server | CONNACK has one of its reason codes
3.2.2-9  | server | who does not support QoS 1 or 2 says so by maximum QoS | all QoS levels are supported
3.2.2-10 | server | and still accepts subscriptions of any QoS | all QoS levels are supported
3.2.2-11 | client | a client keeps to the maximum QoS
3.2.2-12 | server | a will of a QoS that is not supported: the connection is refused | all QoS levels are supported
3.2.2-13 | server | a retained will where that is not supported: the connection is refused | retained messages are supported
3.2.2-14 | client | a client keeps to retain available 0
3.2.2-15 | client | a client sends no packet larger than the server's maximum
3.2.2-16 | server | an empty client id gets an assigned one that no other session has
3.2.2-17 | client | a client sends no topic alias above the server's maximum
3.2.2-18 | client | nor any where that is 0 or absent
3.2.2-19 | server | no reason string that would make CONNACK larger than the client takes
3.2.2-20 | server | nor user properties | CONNACK carries no user properties
3.2.2-21 | client | the client uses the server keep alive in place of its own
3.2.2-22 | server | without a server keep alive the server uses the client's
3.3.1-1  | both   | DUP is set when a PUBLISH is sent again
3.3.1-2  | both   | DUP is 0 at QoS 0
3.3.1-3  | server | DUP of the publisher is not passed on: it tells of this delivery alone
3.3.1-4  | both   | QoS is never 3
3.3.1-5  | server | a retained message is stored in place of the former
3.3.1-6  | server | an empty retained message is delivered, and clears the topic
3.3.1-7  | server | an empty message is never retained
3.3.1-8  | server | a message without RETAIN leaves what is retained alone
3.3.1-9  | server | retain handling 0: retained messages are sent
3.3.1-10 | server | retain handling 1: they are sent only for a subscription that is new
3.3.1-11 | server | retain handling 2: they are not sent
3.3.1-12 | server | retain as published 0: RETAIN is clear on what is forwarded
3.3.1-13 | server | retain as published 1: RETAIN is as the publisher set it
3.3.2-1  | both   | the topic comes first in a PUBLISH, as UTF-8
3.3.2-2  | both   | a topic has no wildcards
3.3.2-3  | server | what is delivered has a topic that the subscription matches
3.3.2-4  | server | the payload format is passed on unchanged
3.3.2-5  | server | a message that expired before its delivery began is dropped for that subscriber
3.3.2-6  | server | the message expiry sent is what is left of the one received
3.3.2-7  | both   | topic aliases end with their connection
3.3.2-8  | both   | a topic alias is never 0
3.3.2-9  | client | a client sends no topic alias above the server's maximum
3.3.2-10 | client | a client accepts all aliases up to its maximum
3.3.2-11 | server | a server sends no topic alias above the client's maximum
3.3.2-12 | server | a server accepts all aliases up to its maximum
3.3.2-13 | both   | the response topic is UTF-8
3.3.2-14 | both   | the response topic has no wildcards
3.3.2-15 | server | the response topic is passed on unchanged
3.3.2-16 | server | correlation data is passed on unchanged
3.3.2-17 | server | user properties are passed on unchanged
3.3.2-18 | server | in their order
3.3.2-19 | both   | the content type is UTF-8
3.3.2-20 | server | the content type is passed on unchanged
3.3.4-1  | both   | a PUBLISH is answered as its QoS says: nothing, PUBACK, PUBREC
3.3.4-2  | server | where filters overlap, delivery is at the highest QoS of those that match
3.3.4-3  | server | subscription identifiers of the filters that match are sent along
3.3.4-4  | server | all of them, where one copy is sent
3.3.4-5  | server | each its own, where several are sent | one copy is sent
3.3.4-6  | client | a client sends no subscription identifier on PUBLISH
3.3.4-7  | client | a client has no more publishes under way than the server's receive maximum
3.3.4-8  | client | a client delays no other packet for that
3.3.4-9  | server | a server has no more publishes under way than the client's receive maximum
3.3.4-10 | server | a server delays no other packet for that
3.4.2-1  | both   | PUBACK has one of its reason codes
3.4.2-2  | both   | no reason string that would make PUBACK larger than the receiver takes
3.4.2-3  | both   | nor user properties
3.5.2-1  | both   | PUBREC has one of its reason codes
3.5.2-2  | both   | no reason string that would make PUBREC larger than the receiver takes
3.5.2-3  | both   | nor user properties
3.6.1-1  | both   | PUBREL has flags 2; any other value closes the connection
3.6.2-1  | both   | PUBREL has one of its reason codes
3.6.2-2  | both   | no reason string that would make PUBREL larger than the receiver takes | PUBREL is sent with none
3.6.2-3  | both   | nor user properties | PUBREL is sent with none
3.7.2-1  | both   | PUBCOMP has one of its reason codes
3.7.2-2  | both   | no reason string that would make PUBCOMP larger than the receiver takes | PUBCOMP is sent with none
3.7.2-3  | both   | nor user properties | PUBCOMP is sent with none
3.8.1-1  | both   | SUBSCRIBE has flags 2; any other value closes the connection
3.8.3-1  | client | filters in SUBSCRIBE are UTF-8
3.8.3-2  | client | SUBSCRIBE has at least one filter with its options
3.8.3-3  | server | no local: nothing goes back to the client that published it
3.8.3-4  | client | no local on a shared subscription is a protocol error
3.8.3-5  | server | reserved bits in the options are malformed
3.8.4-1  | server | SUBSCRIBE is answered with SUBACK
3.8.4-2  | server | SUBACK has the packet id of its SUBSCRIBE
3.8.4-3  | server | a filter given again replaces the former
3.8.4-4  | server | retained messages then come again with retain handling 0, and no message is lost over it
3.8.4-5  | server | several filters in one SUBSCRIBE are as several SUBSCRIBEs, answered by one SUBACK
3.8.4-6  | server | SUBACK has a reason code for each filter
3.8.4-7  | server | it is the QoS granted, or says that the subscription failed
3.8.4-8  | server | delivery is at the lower of the QoS published and granted
3.9.2-1  | server | no reason string that would make SUBACK larger than the client takes | SUBACK is sent with none
3.9.2-2  | server | nor user properties | SUBACK is sent with none
3.9.3-1  | server | the reason codes of SUBACK are in the order of the filters
3.9.3-2  | server | SUBACK has reason codes of its own list
3.10.1-1 | both   | UNSUBSCRIBE has flags 2; any other value closes the connection
3.10.3-1 | client | filters in UNSUBSCRIBE are UTF-8
3.10.3-2 | client | UNSUBSCRIBE has at least one filter
3.10.4-1 | server | filters are compared character by character; one that is the same goes
3.10.4-2 | server | nothing new is delivered for a filter that is gone
3.10.4-3 | server | what was under way at QoS 1 and 2 is still completed
3.10.4-4 | server | UNSUBSCRIBE is answered with UNSUBACK
3.10.4-5 | server | UNSUBACK has the packet id of its UNSUBSCRIBE, also where no filter was deleted
3.10.4-6 | server | several filters in one UNSUBSCRIBE are as several, answered by one UNSUBACK
3.11.2-1 | server | no reason string that would make UNSUBACK larger than the client takes | UNSUBACK is sent with none
3.11.2-2 | server | nor user properties | UNSUBACK is sent with none
3.11.3-1 | server | the reason codes of UNSUBACK are in the order of the filters
3.11.3-2 | server | UNSUBACK has reason codes of its own list
3.12.4-1 | server | PINGREQ is answered with PINGRESP
3.14.0-1 | server | no DISCONNECT before a CONNACK that says yes
3.14.1-1 | both   | DISCONNECT with reserved bits set is malformed: 0x81
3.14.2-1 | both   | DISCONNECT has one of its reason codes
3.14.2-2 | server | DISCONNECT of a server has no session expiry
3.14.2-3 | both   | no reason string that would make DISCONNECT larger than the receiver takes
3.14.2-4 | both   | nor user properties | DISCONNECT of the broker carries no user properties
3.14.4-1 | both   | after DISCONNECT its sender sends nothing
3.14.4-2 | both   | and closes the connection
3.14.4-3 | server | DISCONNECT 0 discards the will
3.15.1-1 | both   | AUTH has flags 0; any other value closes the connection
3.15.2-1 | both   | AUTH has one of its reason codes
3.15.2-2 | both   | no reason string that would make AUTH larger than the receiver takes | AUTH of the broker carries no reason string
3.15.2-3 | both   | nor user properties | AUTH of the broker carries no user properties
4.1.0-1  | both   | session state is kept while the connection is open
4.1.0-2  | server | session state is discarded when the connection is closed and the expiry is over
4.2.0-1  | both   | there is a transport that is an ordered, lossless stream of bytes
4.3.1-1  | both   | QoS 0 is sent with QoS 0 and DUP 0
4.3.2-1  | both   | sender of QoS 1: a new message gets a packet id not in use
4.3.2-2  | both   | it goes with QoS 1 and DUP 0
4.3.2-3  | both   | it is unacknowledged until PUBACK
4.3.2-4  | both   | receiver of QoS 1: PUBACK with the packet id once the message is owned
4.3.2-5  | both   | after that the packet id means a new message, whatever DUP says
4.3.3-1  | both   | sender of QoS 2: a new message gets a packet id not in use
4.3.3-2  | both   | it goes with QoS 2 and DUP 0
4.3.3-3  | both   | it is unacknowledged until PUBREC
4.3.3-4  | both   | PUBREC below 0x80 is answered with PUBREL of the same packet id
4.3.3-5  | both   | PUBREL is unacknowledged until PUBCOMP
4.3.3-6  | both   | no PUBLISH is sent again after its PUBREL
4.3.3-7  | both   | no message expires once its PUBLISH was sent
4.3.3-8  | both   | receiver of QoS 2: PUBREC with the packet id once the message is owned
4.3.3-9  | both   | after a PUBREC of 0x80 or above the packet id means a new message
4.3.3-10 | both   | until PUBREL every PUBLISH of the packet id gets PUBREC and is not delivered again
4.3.3-11 | both   | PUBREL is answered with PUBCOMP of the same packet id
4.3.3-12 | both   | after PUBCOMP the packet id means a new message
4.3.3-13 | both   | the exchange goes on even for a message that expired
4.4.0-1  | both   | on reconnect, and only then, unacknowledged PUBLISH and PUBREL are sent again with their ids
4.4.0-2  | both   | a PUBACK or PUBREC of 0x80 or above acknowledges: nothing is sent again
4.5.0-1  | server | a message taken is added to the sessions of all clients whose subscriptions match
4.5.0-2  | client | a client acknowledges what it receives, whether it makes use of it or not
4.6.0-1  | client | publishes sent again go in their original order
4.6.0-2  | client | PUBACKs go in the order of the publishes
4.6.0-3  | client | PUBRECs go in the order of the publishes
4.6.0-4  | client | PUBRELs go in the order of the PUBRECs
4.6.0-5  | server | a subscriber gets the messages of one client, topic and QoS in the order they came
4.6.0-6  | server | every topic is ordered for subscriptions that are not shared
4.7.0-1  | both   | wildcards are for filters, not for topic names
4.7.1-1  | both   | # stands alone or behind a /, and last
4.7.1-2  | both   | + takes a whole level, anywhere
4.7.2-1  | server | a filter that begins with a wildcard matches no topic that begins with $
4.7.3-1  | both   | topics and filters have at least one character
4.7.3-2  | both   | topics and filters hold no U+0000
4.7.3-3  | both   | topics and filters are no longer than 65535 bytes
4.7.3-4  | server | matching normalises nothing and substitutes nothing
4.8.2-1  | both   | a shared subscription begins with $share/ and a share name of at least one character
4.8.2-2  | both   | the share name has no /, + or #, and is followed by / and a filter
4.8.2-3  | server | a shared message goes at the QoS granted to the client it goes to
4.8.2-4  | server | a QoS 2 message begun with a client is completed with that client when it is back
4.8.2-5  | server | where that session ends first, it goes to no other
4.8.2-6  | server | a message its receiver refuses by 0x80 or above goes to no other
4.9.0-1  | both   | the send quota begins above 0 and not above the receive maximum
4.9.0-2  | both   | each PUBLISH above QoS 0 takes from it; at 0 none is sent
4.9.0-3  | both   | all other packets are handled all the same
4.12.0-1 | server | an authentication method that is not supported: 0x8C or 0x87 perhaps, then close
4.12.0-2 | server | a server that needs more sends AUTH 0x18
4.12.0-3 | client | a client answers with AUTH 0x18
4.12.0-4 | server | a server that refuses may say so by CONNACK, and closes
4.12.0-5 | both   | AUTH and the CONNACK that says yes carry the method of the CONNECT
4.12.0-6 | server | without a method in CONNECT there is no AUTH and no method in CONNACK
4.12.0-7 | client | nor does the client send AUTH
4.12.1-1 | client | a client authenticates anew with AUTH 0x19 and the same method
4.12.1-2 | both   | where that fails, DISCONNECT perhaps, then close
4.13.1-1 | server | a malformed packet or protocol error that has a reason code closes the connection
4.13.2-1 | both   | a CONNACK or DISCONNECT of 0x80 or above, sent or not, means that the connection closes
6.0.0-1  | both   | over WebSocket packets are in binary frames; any other data frame closes the connection
6.0.0-2  | both   | packets and WebSocket frames need not begin or end together
6.0.0-3  | client | the client offers the subprotocol mqtt
6.0.0-4  | server | the server chooses the subprotocol mqtt
`
