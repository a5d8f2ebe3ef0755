"""What servers say when they refuse, and the reason each saying stands for.

`SAYINGS` is tried from top to bottom; the first saying found decides. "[reason]" opens the sayings of a reason,
which may have several places in the order; sayings are separated by "|". "*" stands for anything in between. They
are compared with the lower-case text on one line, in which every address has become "@". A saying must be a kind of
wording, never one mail. How to add one: docs/recipes/add-a-bounce-rule.md.
"""

SAYINGS = """
[hasmoved]
destination mailbox has moved | has moved to | user has moved | has been replaced by | no longer on server
recipient has moved | address has changed | has a new address | please update your address book
mailbox moved | moved to another | new e-mail address is
[networkerror]
mxloopback | dns query failed | host not found, try again | not found, try again later
host name lookup failure | routing loop | message looping | too many hops | unrouteable mail domain
[requireptr]
cxdns | fix reverse dns
[systemerror]
delivery to * forbidden | lmtp error after | automatic homedir | bad interpreter | loop alert
loop back warning | aliasing/forwarding | loops back to myself | would create a mail loop | load drd
no mdb | ldap | to mail daemon
[rejected]
sender address | sender verification | sender verify | cannot verify sender | invalid sender
return path * not | mail from domain | senders domain | sender host | envelope sender | sender rejected
sender unknown | unknown sender | emetteur invalide | sender's address | bad sender's mailbox
bad sender's system | cxsndr | domain of sender | sender domain | mailfrom domain | sender is spammer
spam reporting address | spam complaints | your email address has been blacklisted | sender * blacklisted
sender is blacklisted | sender's domain
[blocked]
helo command rejected | helo rejected | ehlo rejected | invalid helo | bad helo | helo name
[hostunknown]
all host address lookups failed | remote domain doesn't | remote domain does not | unknown destination host
lookup failure: host | dns error: domain name not found | dns server returned answer with no data
no mx or a record | bad destination system | dns domain | nonexistentdomain | couldn't find any host named
unrouteable address | unroutable address | name or service not known | account or domain may not exist
domain is not reachable | domain unknown | unknown domain | unknown host | host unknown | no such domain
domain does not exist | domain name does not exist | host not found | unrouteable mail domain
unroutable mail domain | domain of recipient * does not exist | recipient's domain * does not exist
invalid domain name | nonexistent domain | non-existent domain | domain not found
all relevant mx records point to non-existent hosts | mail domain mentioned in email address
host or domain name not found | domain * not found in dns | address domain * unknown | domain must exist
domain is dead | is a dead domain | no a or mx record | no such host | illegal host/domain name
host unreachable in dns | does not have any mail server | domena nie istnieje
[norelaying]
smtp relay error | as a relay | to be relayed | to relay through | relay access denied | relaying denied
relay denied | not permitted to relay | unable to relay | relaying not | relay not permitted
relaying is prohibited | no relaying | not relay | insecure mail relay | relay prohibited
relaying mail to * is not allowed | in my list of allowed rcpthosts | relaying blocked
not local * not gateway | is not a local domain | not an open relay | not authorized to relay
relay operation reject | mail server requires authentication when attempting to send | relayed without
this system is not configured to relay | domain isn't in my list | not local domain | verifizieren sie sich
[speeding]
sending quota | submission quota | daily quota | hourly quota | per hour | per day | per minute | max emails
sending limit
[mailboxfull]
user has exceeded | account has exceeded | quotaexceed | too many messages * recipient | ofr*_417 | lpn*_417
mailbox full | mail box full | mailbox * is full | mailbox has exceeded | mailbox exceeded | mailbox exceeds
mailbox size | mailbox limit | mailbox quota | mailbox over | mailbox would exceed | account full
account is over | account over | inbox * full | boxes full | boxes are full | is full | over quota
over-quota | over the * quota | over the quota | exceeding * quota | exceed* quota | overdrawn
not sufficient disk | over their * quota | over its * quota | over the maximum allowed | over the storage
exceed * quota | quota exceed | quota * exceed | quota full | quota limit | quota violation | quota reached
out of quota | overq | ovrqta | disk quota | disc quota | storage quota | storage limit | storage allocation
out of storage | out of disk | out of space | not enough disk | not enough storage | not enough space
no space left for | insufficient space | exceeded storage | exceeded * storage
exceeds allowed message count | too many messages * mailbox | too many messages on | user has exhausted
user has too many messages | too much mail data | reached * size limit | rejecting new messages | too full
has run out of | user over | dysk * zape | boite * pleine | boîte * pleine | postfach * voll
quota * überschritten | casella * piena | buzón * lleno | skrzynka * pełna | skrzynka * pelna
skrzynka * przepełniona | skrzynka * przepelniona | skrzynki * przepełnion | pojemność skrzynki
pojemnosc skrzynki | przekroczon* limit | przekroczona pojemno | przekroczył * limit | przekroczył * pojemno
brak miejsca | schránka * plná | schranka * plna | schránka * přeplněn | překročen* kvót | překročil * kvót
kvóta * překročen | кутия * пълна | кутия * препълнена | надвишена * квота | превишена * квота
квота * надвишена | ящик * переполнен | ящик * полон | переполнен* почтов | переполнен* ящик | 邮箱已满 | 邮箱空间
[exceedlimit]
maximum size the user accepts
[mesgtoobig]
recipsizelimit | line limit exceeded | message too big | message too large | message is too big
message is too large | message too long | mail is too big | mail too big | mail too large
mail is too large | message size | size limit | message length exceeds | exceeds size | exceeds * size
exceeds the maximum | exceeded maximum * size | exceeded * size | exceeds * maximum
larger than the * limit | larger than the current | too large to send | delivery size | file too big
exceeds administrative limit | line length exceeds administrative | sendsizelimit | za duż* wiadomo
wiadomość * zbyt duża | wiadomosc * zbyt duza | przekracza * rozmiar | zpráva * příliš velká
съобщение* * голямо
[requireptr]
reverse dns | reverse lookup | reverse-dns | reverse name | reverse record | reverse mapping
reverse hostname | ptr record | ptr entry | ptr-record | no ptr | without ptr | missing ptr | generic ptr
valid ptr | ptr rr | rdns | cannot find your hostname | cannot find your reverse | cannot resolve your
ip name lookup failed | unresolvable relay host | mismatches client ip | unable to resolve your ip
sender ip reverse | has no dns record | not been assigned a hostname | unverifyable sending ip
unverifiable sending ip | dns lookup of your ip | forward confirmed | forward-confirmed
helo * does not match * ip | no name for your ip
[notcompliantrfc]
missing from: | missing from header | missing date header | missing a valid address in from
having no from: header | rfc compliant | rfc-compliant | compliant with rfc | compliance with rfc | rfc 5322
rfc5322 | rfc 2822 | rfc2822 | rfc 5321 | rfc 1035 | violates rfc | rfc violation | duplicate header
multiple from | multiple addresses in from | has duplicate | bare lf | bare newline | bare line feed
invalid message-id | message-id header | missing required header | missing message-id | messageid is missing
no from header | non-rfc
[authfailure]
authentication information | dmarc | dkim | spf check | spf record | spf validation | spf fail | spf hard
spf soft | spf authentication | spf settings | spf policy | spf verification | spf rule | spf: | spf [
(spf) | by spf | due to spf | your spf | /spf | openspf | sender policy framework | sender id (pra)
sender id check | unauthenticated email | message is not authenticated | not pass authentication
authentication checks | required authentication level | unauthenticated message
is not allowed to send mail * from | not authorized to send on behalf | not permitted to send mail for
not pass spf
[virusdetected]
virus | malware | infected | trojan | mcspamsignature | potentially executable content | malicious
phishing url
[badreputation]
low reputation | poor reputation | bad reputation | reputation of | reputation problem | ip reputation
domain reputation | due to * reputation | senderbase | talos | sender score | reputation is
user complaints
[suspend]
mailaddress is administrative | administrative disabled | administratively disabled
account has been suspended | account * disabled | account is * suspended | account * suspended
account * deactivated | account * inactive | account * locked | account * frozen | account * discontinued
account * closed | account * terminated | account * expired | account has been blocked | account is blocked
account temporarily | account is temporarily | account not activated | account inactive | account disabled
account that you tried to reach is * disabled | account has been temporarily | mailbox disabled
mailbox * disabled | mailbox is currently suspended | mailbox locked | mailbox is inactive
mailbox inactive | mailbox frozen | mailbox is frozen | mailbox suspended | mailbox * suspended
mailbox currently suspended | mailbox temporarily disabled | mailbox is disabled | mailbox expired
user is disabled | user disabled | user is inactive | user inactive | user suspended | user is suspended
user is locked | user * suspended | user * disabled | recipient disabled | recipient * disabled
disabled recipient | is deactivated | recipient suspend | recipient * suspended | disabled user
email account * disabled | out of service: disabled | inactive user | deactivated mailbox
unavailable or access denied | user is not active | user not active | unavailable to take delivery
vdelivermail: account is locked | boite du destinataire archivee | konto * zablokowane | konto * zawieszone
konto * wyłączone | konto * nieaktywne | skrzynka * zablokowana | skrzynka * zawieszona
skrzynka * nieaktywna | účet * zablokován | schránka * zablokována | schránka * neaktivní
акаунт* * блокиран | акаунт* * спрян | кутия * блокирана | аккаунт * заблокирован | ящик * заблокирован
[userunknown]
000c05a6 | unknown user: @ | invalid final delivery userid | bad destination mailbox address
recipientnotfound | recipnotfound | recipient name is not recognized | not listed in * directory
not listed in public | unknown recipient | recipient address rejected: access denied
dd this user doesn't have a | 542 @ rejected | ofr*_416 | lpn*_416 | ofr*_418 | lpn*_418 | rcp-p1
[rejected]
groups.google.com/support | ofr*_421 | lpn*_421
[policyviolation]
has a policy that prohibited | anti-spoofing | antispoofing | mailing list expansion | ofr*_630 | lpn*_630
lpn*_710 | ofr*_710
[toomanyconn]
ofr*_104 | lpn*_104 | ofr*_514 | lpn*_514
[spamdetected]
access denied, spam | access denied, banned sender | suspected bounce attack | ofr*_402 | ofr*_506
lpn*_506 | ofr*_515 | lpn*_515
[systemerror]
ofr*_505 | lpn*_505 | duplicated message-id
[policyviolation]
not accepting mail with
[spamdetected]
message filtered. refer | message filtered. please see
[suppressed]
has suppressed sending | suppression list
[filtered]
cannot route mail to user | (state 18) | was rejected by a remote mail server | recipient preferences
refused due to recipient | rejected due to user rules | message filtered | user reject | user refuses
recipient refuse | refuse to receive | recipient is only accepting mail from | account is protected by
is not accepting any mail | blocked by the recipient | blocked by recipient | has restricted sms
not found recipient | only accepts mail from | recipient does not accept mail from | recipient's filter
user has blocked | recipient has blocked | does not accept mail from this sender | konto niedostepne
konto niedostępne | mailbox not available / | skrzynka niedostępna
[speeding]
mail flood detected | receiving messages too quickly | unusual rate | sending quota | server busy
sending limit | how many messages can be sent
[blocked]
not authorized to send email directly | use the smtp relay at | cxbl | administrative lockout
ip blacklisted | blocked for abuse | spamhaus | spamcop | sorbs | dnsbl | abuseat | sending spam | spam ips
spams from your ip | spam from your ip | blocked for spam from ip | spam source | uceprotect
[spamdetected]
blacklisted url | unsolicited | bulk mail | bulk email | bulk e-mail | junk mail | uribl | surbl
content rejected | ube, | message was identified | rejected by * spam | mail rejete. mail rejected
message rejected due to content | cloudmark | spam | dt:spm | content filter | content denied
unacceptable content | banned content | mass mailer | pattern detection system | blocked by our filter
[toomanyconn]
cxcnct | cxmxrt | too many concurrent | too many simultaneous | connection rate | too many sessions
frequency limited | concurrent connection | connection limit | connection count | too many recipients
too many rcpt | recipient limit | too many smtp | too many connection | too frequent
simultaneous connections | connections from your host | limit the number of concurrent
number of connections | session limit | rate limit exceeded
[speeding]
rate limit | rate-limited | ratelimit | sending rate | too fast | too quickly | unusual rate
unusual amount | too many messages | too many mail | too many emails | throttl | at a rate that
message rate | mails per | messages per hour | messages per day | hourly limit | daily limit | daily quota
slow down | limit on the number of messages | receiving mail at a rate | receiving rate
temporarily deferred | temporarily rate | exceeded the rate | exceeded * per hour
[blocked]
blacklist | black list | blocklist | block list | block-list | dnsbl | rbl | spamhaus | spamcop | sorbs
barracudacentral | abuseat | mail-abuse | blocked using | blocked by * list | listed at | listed in
listed by | blocked - see | refused - see | ip * blocked | blocked ip | your ip | client host * blocked
host blocked | ip address * blocked | ip address * rejected | ip address * refused | block for spam
server ip * abusive | dynamic ip | dynamic/zombied | dynamic pool | dial-up | open proxy | open relay
helo command rejected | helo rejected | ehlo rejected | client host rejected | sender ip | from ip address
access from * denied | not allowed to connect | no access from mail server | is not allowed to access
use the smtp server of your | use your provider's | please use your isp | sending spam | go away
confirm this mail server | requires confirmation | mail server at * blocked | remotehost looks suspiciously
not accept messages from servers | not accepting mail from your | connections not accepted from
mail from * refused: | access denied, | blocked by | has been blocked | we do not accept mail from
temporarily blocked | service refus | server refused * connection | your e-mail is redundant
connection dropped | connection was dropped | banned | your network | your server ip | the ip * | ip is *
message blocked | mail blocked | sender's host
[policyviolation]
not accepting mail with | header error | headers are not accepted | given low priority
not subscribed to this group | presents a potential | policy reasons | by policy | local policy
site policy | security policy | violates * policy | policies | policy reject | administrative policy
disallowed | attachment * not | attachment type | illegal attachment | prohibited attachment | file type
for policy | protocol violation | organization's policy | delivery restriction | content policy
you have exceeded | message not accepted | administrator has configured | closed mailing list
because of policy | transport rule
[rejected]
administrative prohibition | valid-address-filter | outgoing mail suspension
your access to submit messages | all recipient addresses rejected | not a registered gateway user
sender address rejected | sender rejected | sender was rejected | invalid sender | sender verify failed
sender denied | sender domain | unroutable sender | sender is not | sender not | sender is on | badsendermx
sendernoa | sender blocked | sender unknown | unknown sender | bad sender | sender email * rejected
not a member | members-only | member-only | non-member | not member | purported responsible address
null sender | empty envelope | returned mail not accepted | does not accept mail from | not allowed to post
permission to post | post messages to the group | domain of sender | from: domain is invalid
fully qualified email address required | emetteur invalide | sender's address | mail from not owned
mailfrom domain | reject mail from | mail from: | envelope sender * rejected | senders domain
sender's domain | backscatter | email address is on senderfilterconfig | sender refused
sender * blacklisted | sender * rejected | only members | nadawca * odrzucon | adres nadawcy
[contenterror]
too many "received" headers | media not supported | conversion required | content error | corrupt message
barelinefeed | headers too large | improper use of 8-bit | mime header | mime error | malformed mime
malformed header | malformed message | content-type | too many received | message header size
invalid header | bad header | message contains bare | badly formatted | improperly formatted
mime complexity | message content is not acceptable | message parsing | charset not
"""

#: The mailbox is not there. Before the final dot that is a fact about the address; after it, or when the report
#: does not say when it was said, it may be the recipient's own filter.
NOBODY = """
bounce category bad-mailbox | addressee unknown | mailbox not found | user unknown | unknown user
user not found | user * not found | user not known | user * unknown | no such user | no such recipient
no such mailbox | no such address | no such person | no such account | no such email | no such local
no such customer | unknown recipient | unknown local | unknown address | unknown mailbox | unknown email
unknown e-mail | unknown account | unknown or illegal | unknown virtual | unknown to address
recipient unknown | recipient not found | recipient * not found | recipientnotfound | recipnotfound
recipient * not exist | recipient is not | recipient no longer | recipient not ok
recipient name is not recognized | recipient address does not | recipient address rejected: invalid
recipient address rejected: undeliverable | recipient invalid | recipient rejected
recipient cannot be verified | recipient verification | invalid recipient | invalid user | invalid mailbox
invalid receiver | invalid address | invalid local | invalid rcpt | bad recipient | bad_recipient
bad-recipient | badrcptto | bad address | bad destination mailbox | bad mailbox | address unknown
address * does not exist | address * not found | address not found | address couldn't be found
address could not be found | address error | address not present | address * not known | address no longer
address is not valid | address is invalid | mailbox unknown | mailbox unavailable | mailbox is unavailable
mailbox * does not exist | mailbox * not exist | mailbox * unavailable | mailbox * not found
mailbox invalid | mailbox name not allowed | mailbox not present | mailbox not available | mailbox is not
not have * mailbox | no mailbox | no mail box | no matches to nameserver | no user | no account
no valid recipient | no local mailbox | no valid mailbox | account unavailable | account * does not exist
account not found | account is not | account unknown | not a valid mailbox | not a valid user
not a valid recipient | not a valid address | not a known user | not known at | not an existing
not a local address | not listed in | not our customer | unknown. check | is not a valid
doesn't have a * account | does not have a * account | have an account | user * does not exist
user * not exist | user doesn't | user missing | address is wrong or | @ not found
not an active address at | username is unknown | undeliverable address | non-existent user
nonexistent user | non existent | not exist | nobody here | there is no one at | can't accept user
destination addresses were unknown | unrouteable address | unroutable address
destination server rejected recipients | names a user | name directory | user's email name is not found
adresse * invalide | destinataire * invalide | destinataire inconnu | adresse inconnue | utilisateur inconnu
empfänger * unbekannt | unbekannter empf | empfänger * existiert | no existe | usuario desconocido
utente sconosciuto | destinatario sconosciuto | casella inesistente | 用户不存在 | 收件人 | nieznany użytkownik
nieznany uzytkownik | nieznany adres | nieznany odbiorca | nie istnieje | nie ma takie | brak takie
nie znaleziono odbiorcy | nie znaleziono adresu | adres nieprawidłowy | neexistující | neexistuje
neznámý uživatel | neznámý příjemce | nebyl nalezen | nebyla nalezena | не съществува | няма такъв
непознат получател | непознат потребител | невалиден получател | невалиден адрес | не существует
пользователь не найден | нет такого | такого пользователя | недействителен
"""

#: Tried when none of the above was said: the machines and the lines between them.
MACHINES = """
[systemfull]
mail system full | system storage | disk full | no space left | insufficient system resources
server is full | requested mail action aborted: exceeded storage
[notaccept]
no host found for existing | reject all mails | seems to reject all | null mx | nullmx
indicated no smtp service | name service error for * type=mx: malformed | does not accept mail
doesn't receive email | does not receive mail | doesn't accept mail | couldn't find a mail exchanger
could not find a mail exchanger | not accepting mail | not accepting messages
not accepting network messages | no mail accepted | mail exchanger or ip | system not accepting
does not accept email | does not accept any mail | host does not accept
[failedstarttls]
could not retrieve credentials | starttls | encryption needed | tls is required | tls required
encryption required | ssl required | tls handshake | certificate verif | tls negotiation
server certificate | tls connect failed
[networkerror]
best-preference mx | routes to destination blocked | could not retrieve source address | no valid route
temporary failure in mx lookup | communications failure | lookup did not complete
bounce category no-answer-from-host | bad connection | unable to route | network error | failed to connect
too many hops | hop count exceeded | mail loop | loop detected | looping | loops back | routing loop
mail forwarding loop | could not connect | couldn't find any host | network unreachable
network is unreachable | no route to host | connection lost | lost connection | connection reset
connection broken | connection closed | dns records for the destination computer | dns lookup | dns error
name service error | lookup failure | host is unreachable | host unreachable | unable to connect
unable to contact | no relevant answers | establish an smtp connection | maximum forwarding
maximum allowed times | maximum hop | broken pipe | unable to resolve route | nxdomain
address family mismatch | mail for * loops | malformed name server | malformed or unexpected name server
no answer from any | timed out while receiving the initial | unable to lookup
temporary failure in name resolution | no mx | delivered-to * loop | domain name not found
server name resolution | bad mx
[expired]
all hosts * failing | all hosts for * have been failing | message is frozen | smtp timeout | greylist
graylist | grey-list | try again in | host not reachable | no answer from host | connect timeout | timed out
timeout exceeded | retry time | retries exceeded | message timeout | in the queue too long
in queue too long | could not deliver for the last | giving up | has not been collected
was not delivered within | unable to deliver * after | couldn't be delivered for | delivered for * day
delivered for * hour | delivered for more than | could not be delivered within | maximum queue | queue time
not been delivered | expired | server did not accept our requests | not responding | did not respond
no response | unreachable for too long | resent | message was undeliverable for more | for more than * days
for more than * hours | will keep trying | time limit exceeded | recipient server did not accept
socket error | try again later | temporarily unavailable | could not find a gateway for | failed * attempts
after * tries | not reachable within | aborted after | czas * minął | przekroczon* czas | vypršel | изтекъл
[systemerror]
system incorrectly configured | directory server failure | mail system congestion | several matches found
system config error | configuration error | mail system config | misconfigured | queue file write
local error | internal error | internal software | server error | local configuration | processing error
aliasing/forwarding | ldap | service currently unavailable | service unavailable | transaction failed
system error | interrupted system call | can't create | cannot open | i/o error | resources temporarily
timeout waiting for input | unexpected failure | database | storage error | lowest numbered mx
local delivery failed | mta error | local problem | software error | out of memory
[mailererror]
x-unix | pipe to | command failed | command died | exit status | exit code | exit 1 | mailer error
procmail | command time limit | generated by | error writing message | child | program | delivery agent
exited with
[securityerror]
authentication not allowed | cryptographic failure | message integrity | credentials invalid
verification failure | authentication required | authentication turned on | authentication failure
authrequired | not authorized | login | authenticate | access denied | access to this | permission
not permitted | tls | account not subscribed to ses | insecure | executable files | are not allowed
prohibited | illegal | forbidden | security | administratively
[suppressed]
suppression list | on suppression | suppressed | address has been bounced
[syntaxerror]
angle-brackets nested | expected word or | domain missing in source-routed | malformed address:
syntax error | command not recognized | command unrecognized | improper sequence | bad sequence
unrecognized command | command not implemented | parameters | mail sequence | out of order | invalid command
unknown command
[hostunknown]
bounce category bad-domain
[suspend]
bounce category inactive-mailbox
[mailboxfull]
bounce category quota-issues
[policyviolation]
bounce category policy-related
[spamdetected]
bounce category spam-related
[systemerror]
bounce category routing-errors
"""

#: Status (RFC 3463, RFC 7372, RFC 7505, Microsoft's of 5.7.5xx) -> reason, class digit left out.
STATUS_REASONS = {
    "1.0": "userunknown", "1.1": "userunknown", "1.2": "hostunknown", "1.3": "userunknown", "1.4": "filtered",
    "1.5": "userunknown", "1.6": "hasmoved", "1.7": "rejected", "1.8": "rejected", "1.9": "userunknown",
    "1.10": "notaccept", "2.0": "filtered", "2.1": "filtered", "2.2": "mailboxfull", "2.3": "exceedlimit",
    "2.4": "filtered", "3.0": "systemerror", "3.1": "systemfull", "3.2": "notaccept", "3.3": "systemerror",
    "3.4": "mesgtoobig", "3.5": "systemerror", "4.0": "networkerror", "4.1": "expired", "4.2": "networkerror",
    "4.3": "systemerror", "4.4": "notaccept", "4.5": "systemerror", "4.6": "networkerror", "4.7": "expired",
    "4.14": "networkerror", "4.310": "hostunknown", "4.316": "expired", "4.317": "networkerror",
    "5.0": "systemerror", "5.1": "syntaxerror", "5.2": "syntaxerror", "5.3": "toomanyconn", "5.4": "syntaxerror",
    "5.5": "systemerror", "5.6": "systemerror", "6.0": "contenterror", "7.0": "securityerror",
    "7.1": "securityerror", "7.2": "rejected", "7.7": "policyviolation", "7.8": "securityerror",
    "7.9": "policyviolation", "7.13": "suspend", "7.14": "rejected", "7.17": "hasmoved", "7.18": "hostunknown",
    "7.20": "authfailure", "7.21": "authfailure", "7.22": "authfailure", "7.23": "authfailure",
    "7.24": "authfailure", "7.25": "requireptr", "7.26": "authfailure", "7.27": "rejected", "7.28": "speeding",
    "7.29": "authfailure", "7.30": "authfailure", "7.509": "authfailure", "7.515": "authfailure",
    "7.10": "failedstarttls", "7.54": "norelaying", "7.64": "norelaying", "7.500": "speeding",
}  # fmt: skip
