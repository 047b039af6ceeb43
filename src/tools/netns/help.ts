/** What `brig netns --help` prints. */
export const netnsHelp = `Usage:	brig netns list
	brig netns add NAME
	brig netns attach NAME PID
	brig netns set NAME NETNSID
	brig netns [-all] delete [NAME]
	brig netns identify [PID]
	brig netns pids NAME
	brig netns [-all] exec [NAME] cmd ...
	brig netns monitor
	brig netns list-id [target-nsid POSITIVE-INT] [nsid POSITIVE-INT]
	brig netns connect NAME [--subnet A.B.C.D/N] [--uplink INTERFACE] [--no-nat]
	brig netns disconnect NAME
NETNSID := auto | POSITIVE-INT

All but the last two are those of 'ip netns' and share its names in /run/netns;
list and list-id take -json. connect gives a namespace a way out: loopback up,
a veth pair with addresses, a default route, and NAT in a table of its own,
which keeps out what was not asked for from inside. disconnect and delete undo
all of it.
`;
