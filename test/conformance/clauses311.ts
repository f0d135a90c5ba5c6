/** The numbered statements of MQTT 3.1.1 (appendix B), each in a few words of ours. Columns: id | who is bound | what | why no test, if none can be. */
export const CLAUSES_311 = `
1.5.3-1  | both   | text is well-formed UTF-8 without surrogates; anything else closes the connection
1.5.3-2  | both   | text holds no U+0000; if it does the connection closes
1.5.3-3  | both   | EF BB BF in a text is U+FEFF and is neither skipped nor cut off
2.2.2-1  | both   | reserved flag bits of the fixed header have the value the table lists
2.2.2-2  | both   | wrong flags close the connection
2.3.1-1  | client | SUBSCRIBE, UNSUBSCRIBE and PUBLISH above QoS 0 carry a packet id that is not 0
2.3.1-2  | client | a new packet gets a packet id that is not in use
2.3.1-3  | client | a packet sent again keeps its packet id, which is free again once it is acknowledged
2.3.1-4  | server | packet ids of what the server publishes: not 0, not in use, kept when sent again
2.3.1-5  | both   | a PUBLISH of QoS 0 has no packet id
2.3.1-6  | both   | PUBACK, PUBREC and PUBREL carry the packet id of their PUBLISH
2.3.1-7  | server | SUBACK and UNSUBACK carry the packet id of their request
3.1.0-1  | client | the first packet of a client is CONNECT
3.1.0-2  | server | a second CONNECT is a violation: the client is cut off
3.1.2-1  | server | with another protocol name the packet is not handled by this specification
3.1.2-2  | server | an unknown protocol level is answered with return code 1, then the connection closes
3.1.2-3  | server | the reserved connect flag must be 0, else the connection closes
3.1.2-4  | server | without clean session the stored session goes on, or a new one is made, and is kept afterwards
3.1.2-5  | server | messages of QoS 1 and 2 for a kept session are stored while it is away
3.1.2-6  | both   | clean session discards the former session, and its own state ends with its connection
3.1.2-7  | server | retained messages stay when a session ends
3.1.2-8  | server | a will is stored with the connection and sent when that ends without DISCONNECT
3.1.2-9  | client | the will flag comes with will topic and will message
3.1.2-10 | server | a will is forgotten once it was sent or DISCONNECT came
3.1.2-11 | client | no will flag: no will QoS, no will retain, no will fields
3.1.2-12 | server | no will flag: nothing is published when the connection ends
3.1.2-13 | client | no will flag: will QoS is 0
3.1.2-14 | client | will QoS is never 3
3.1.2-15 | client | no will flag: will retain is 0
3.1.2-16 | server | without will retain the will is no retained message
3.1.2-17 | server | with will retain the will is a retained message
3.1.2-18 | client | no user name flag: no user name
3.1.2-19 | client | the user name flag comes with a user name
3.1.2-20 | client | no password flag: no password
3.1.2-21 | client | the password flag comes with a password
3.1.2-22 | client | no password without a user name
3.1.2-23 | client | a client that has nothing else to send sends PINGREQ in time
3.1.2-24 | server | a client silent for one and a half times its keep alive is cut off
3.1.3-1  | client | the fields come in order: client id, will topic, will message, user name, password
3.1.3-2  | both   | the client id names the state of the session on both sides
3.1.3-3  | client | the client id is there, and first
3.1.3-4  | client | the client id is UTF-8
3.1.3-5  | server | client ids of 1 to 23 letters and digits are accepted
3.1.3-6  | server | an empty client id, where allowed, gets a unique one and is handled as if that had been sent
3.1.3-7  | client | an empty client id comes with clean session
3.1.3-8  | server | an empty client id without clean session: return code 2, then close
3.1.3-9  | server | a client id that is refused: return code 2, then close
3.1.3-10 | client | the will topic is UTF-8
3.1.3-11 | client | the user name is UTF-8
3.1.4-1  | server | a CONNECT that is malformed closes the connection without CONNACK
3.1.4-2  | server | a client id that is connected already: the older connection is closed
3.1.4-3  | server | a valid CONNECT is handled by its clean session flag
3.1.4-4  | server | a valid CONNECT is answered with return code 0
3.1.4-5  | server | nothing behind a refused CONNECT is handled
3.2.0-1  | server | the first packet of a server is CONNACK
3.2.2-1  | server | session present is 0 with clean session
3.2.2-2  | server | session present is 1 when there is a stored session
3.2.2-3  | server | session present is 0 when there is none
3.2.2-4  | server | session present is 0 when the return code is not
3.2.2-5  | server | after a return code other than 0 the connection closes
3.2.2-6  | server | where no return code fits, the connection closes without CONNACK
3.3.1-1  | both   | DUP is set when a PUBLISH is sent again
3.3.1-2  | both   | DUP is 0 at QoS 0
3.3.1-3  | server | DUP of the publisher is not passed on: it tells of this delivery alone
3.3.1-4  | both   | QoS is never 3; if it is the connection closes
3.3.1-5  | server | a retained message is stored, with its QoS, for later subscribers
3.3.1-6  | server | a new subscription gets the last retained message of each topic
3.3.1-7  | server | a retained message of QoS 0 replaces what was retained
3.3.1-8  | server | a message sent because of a new subscription has RETAIN set
3.3.1-9  | server | a message sent to a subscription that was there has RETAIN clear
3.3.1-10 | server | an empty retained message is delivered, and clears the topic
3.3.1-11 | server | an empty message is never retained
3.3.1-12 | server | a message without RETAIN leaves what is retained alone
3.3.2-1  | both   | the topic comes first in a PUBLISH, as UTF-8
3.3.2-2  | both   | a topic has no wildcards
3.3.2-3  | server | what is delivered has a topic that the subscription matches
3.3.4-1  | both   | a PUBLISH is answered as its QoS says: nothing, PUBACK, PUBREC
3.3.5-1  | server | where filters overlap, delivery is at the highest QoS of those that match
3.3.5-2  | server | a publish that is not allowed is acknowledged, or the connection closes
3.6.1-1  | both   | PUBREL has flags 2; any other value closes the connection
3.8.1-1  | both   | SUBSCRIBE has flags 2; any other value closes the connection
3.8.3-1  | client | filters in SUBSCRIBE are UTF-8
3.8.3-2  | server | who does not support wildcards refuses filters that have them | wildcards are supported
3.8.3-3  | both   | SUBSCRIBE has at least one filter with its QoS
3.8.3-4  | server | reserved bits or a QoS above 2 in SUBSCRIBE close the connection
3.8.4-1  | server | SUBSCRIBE is answered with SUBACK
3.8.4-2  | server | SUBACK has the packet id of its SUBSCRIBE
3.8.4-3  | server | a filter given again replaces the former, sends retained messages again, and interrupts nothing
3.8.4-4  | server | several filters in one SUBSCRIBE are as several SUBSCRIBEs, answered by one SUBACK
3.8.4-5  | server | SUBACK says of each filter the QoS granted, or that it failed
3.8.4-6  | server | delivery is at the lower of the QoS published and granted
3.9.3-1  | server | the codes of SUBACK are in the order of the filters
3.9.3-2  | server | the codes of SUBACK are 0, 1, 2 and 0x80, no others
3.10.1-1 | both   | UNSUBSCRIBE has flags 2; any other value closes the connection
3.10.3-1 | client | filters in UNSUBSCRIBE are UTF-8, one behind the other
3.10.3-2 | both   | UNSUBSCRIBE has at least one filter
3.10.4-1 | server | filters are compared character by character; only one that is the same goes
3.10.4-2 | server | nothing new is delivered for a filter that is gone
3.10.4-3 | server | what was under way at QoS 1 and 2 is still completed
3.10.4-4 | server | UNSUBSCRIBE is answered with UNSUBACK of the same packet id
3.10.4-5 | server | also where no filter was deleted
3.10.4-6 | server | several filters in one UNSUBSCRIBE are as several, answered by one UNSUBACK
3.12.4-1 | server | PINGREQ is answered with PINGRESP
3.14.1-1 | server | DISCONNECT with reserved bits set closes the connection
3.14.4-1 | client | after DISCONNECT the client closes the connection
3.14.4-2 | client | after DISCONNECT the client sends nothing
3.14.4-3 | server | DISCONNECT discards the will
4.1.0-1  | both   | session state is stored as long as the session lasts
4.1.0-2  | both   | a session lasts at least as long as its connection
4.3.1-1  | both   | QoS 0 is sent with QoS 0 and DUP 0
4.3.2-1  | both   | sender of QoS 1: unused packet id, DUP 0, unacknowledged until PUBACK
4.3.2-2  | both   | receiver of QoS 1: PUBACK with the packet id; after that the id means a new message
4.3.3-1  | both   | sender of QoS 2: unused packet id, DUP 0, PUBREL after PUBREC, no PUBLISH after PUBREL
4.3.3-2  | both   | receiver of QoS 2: PUBREC each time, delivered once until PUBREL, PUBCOMP, then the id is free
4.4.0-1  | both   | on reconnect unacknowledged PUBLISH and PUBREL are sent again with their packet ids
4.5.0-1  | server | a message taken is added to the sessions of all clients whose subscriptions match
4.5.0-2  | client | a client acknowledges what it receives, whether it makes use of it or not
4.6.0-1  | both   | publishes sent again go in their original order
4.6.0-2  | both   | PUBACKs go in the order of the publishes
4.6.0-3  | both   | PUBRECs go in the order of the publishes
4.6.0-4  | both   | PUBRELs go in the order of the PUBRECs
4.6.0-5  | server | topics are ordered unless configured otherwise
4.6.0-6  | server | a subscriber gets the messages of one client, topic and QoS in the order they came
4.7.1-1  | both   | wildcards are for filters, not for topic names
4.7.1-2  | both   | # stands alone or behind a /, and last
4.7.1-3  | both   | + takes a whole level, anywhere
4.7.2-1  | server | a filter that begins with a wildcard matches no topic that begins with $
4.7.3-1  | both   | topics and filters have at least one character
4.7.3-2  | both   | topics and filters hold no U+0000
4.7.3-3  | both   | topics and filters are no longer than 65535 bytes
4.7.3-4  | server | matching normalises nothing and substitutes nothing
4.8.0-1  | both   | a protocol violation closes the connection it came on
4.8.0-2  | both   | a transient error while a packet is handled closes its connection
6.0.0-1  | both   | over WebSocket packets are in binary frames; any other data frame closes the connection
6.0.0-2  | both   | packets and WebSocket frames need not begin or end together
6.0.0-3  | client | the client offers the subprotocol mqtt
6.0.0-4  | server | the server chooses the subprotocol mqtt
7.0.0-1  | server | a server that connects to others conforms as a client too | TopicTalk opens no MQTT connections
7.0.0-2  | both   | no extension is needed to work with others
7.1.1-1  | server | there is a transport that is an ordered, lossless stream of bytes
7.1.2-1  | client | the client has such a transport
`
