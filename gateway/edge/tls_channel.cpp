#include "gateway/edge/tls_channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <system_error>

namespace sallyport {

namespace {

constexpr std::size_t inbox_size = std::size_t{4} * 1024;
constexpr std::size_t record_size = std::size_t{16} * 1024;
constexpr std::size_t batch_size = std::size_t{64} * 1024;

// Answers to a peer's key updates pile up while nothing is written; a peer that sends nothing else
// loses its connection here.
constexpr std::size_t pending_limit = std::size_t{256} * 1024;

constexpr int most_receives = 8;

// The buffer that the next write of this thread encrypts into. A connection has one of its own only
// while its peer does not take what was written.
std::vector<std::byte>& spare_buffer()
{
    thread_local std::vector<std::byte> buffer;
    return buffer;
}

TlsChannel& channel_of(BIO* bio)
{
    return *static_cast<TlsChannel*>(BIO_get_data(bio));
}

std::string text_of_errno(int number)
{
    return std::generic_category().message(number);
}

}  // namespace

void TlsChannel::Free::operator()(ssl_st* ssl) const
{
    SSL_free(ssl);
}

TlsChannel::TlsChannel(ssl_st* ssl, int descriptor, bool server, std::string peer)
    : ssl_(ssl), descriptor_(descriptor), server_(server), peer_(std::move(peer))
{
}

TlsChannel::~TlsChannel() = default;

const bio_method_st* TlsChannel::method()
{
    static const BIO_METHOD* const made = [] {
        BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport");
        if (fresh != nullptr) {
            BIO_meth_set_read(fresh, &TlsChannel::bio_read);
            BIO_meth_set_write(fresh, &TlsChannel::bio_write);
            BIO_meth_set_ctrl(fresh, &TlsChannel::bio_ctrl);
        }
        return fresh;
    }();
    return made;
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::accept(const ServerTls& tls, int descriptor,
                                                       Bytes already_read, std::string peer)
{
    ERR_clear_error();
    SSL* ssl = SSL_new(tls.native());
    BIO* bio = BIO_new(method());
    if (ssl == nullptr || bio == nullptr) {
        SSL_free(ssl);
        BIO_free(bio);
        return failure(Fault::limit, "TLS with " + peer + ": no memory for the connection");
    }
    std::unique_ptr<TlsChannel> channel(new TlsChannel(ssl, descriptor, true, std::move(peer)));
    BIO_set_data(bio, channel.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    channel->inbox_.assign(already_read.begin(), already_read.end());
    channel->inbox_end_ = already_read.size();
    return channel;
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::connect(const ClientTls& tls, int descriptor,
                                                        std::string peer)
{
    ERR_clear_error();
    SSL* ssl = SSL_new(tls.native());
    BIO* bio = BIO_new(method());
    if (ssl == nullptr || bio == nullptr) {
        SSL_free(ssl);
        BIO_free(bio);
        return failure(Fault::limit, "TLS with " + peer + ": no memory for the connection");
    }
    std::unique_ptr<TlsChannel> channel(new TlsChannel(ssl, descriptor, false, std::move(peer)));
    BIO_set_data(bio, channel.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);

    // Server names are for names only (RFC 6066, section 3); an address is verified all the same.
    const std::string& host = tls.host();
    ASN1_OCTET_STRING* address = host.empty() ? nullptr : a2i_IPADDRESS(host.c_str());
    const bool is_address = address != nullptr;
    ASN1_OCTET_STRING_free(address);
    bool prepared = true;
    if (!host.empty() && !is_address)
        prepared = SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
    if (tls.verify_host()) {
        X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
        X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        prepared =
            prepared && (is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                                    : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), 0)) == 1;
    }
    if (!prepared)
        return failure(Fault::unavailable,
                       "TLS with " + channel->peer_ + ": the host name \"" + host +
                           "\" cannot be verified; check the target's host in the configuration");
    return channel;
}

int TlsChannel::bio_read(BIO* bio, char* into, int size)
{
    BIO_clear_retry_flags(bio);
    const int count = channel_of(bio).fill(into, size);
    if (count < 0)
        BIO_set_retry_read(bio);
    return count;
}

// Gives the number of bytes; -1: none before the next wait; 0: none ever.
int TlsChannel::fill(char* into, int size)
{
    const auto wanted = static_cast<std::size_t>(size);
    if (inbox_begin_ < inbox_end_) {
        const std::size_t count = std::min(wanted, inbox_end_ - inbox_begin_);
        std::memcpy(into, inbox_.data() + inbox_begin_, count);
        inbox_begin_ += count;
        return static_cast<int>(count);
    }
    if (ended_ || system_error_ != 0)
        return 0;
    if (drained_ || receives_left_ == 0)
        return -1;
    --receives_left_;
    for (;;) {
        const ssize_t count = ::recv(descriptor_, into, wanted, MSG_DONTWAIT);
        if (count > 0) {
            drained_ = static_cast<std::size_t>(count) < wanted;
            return static_cast<int>(count);
        }
        if (count == 0) {
            ended_ = true;
            return 0;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            drained_ = true;
            return -1;
        }
        system_error_ = errno;
        return 0;
    }
}

int TlsChannel::bio_write(BIO* bio, const char* from, int size)
{
    BIO_clear_retry_flags(bio);
    TlsChannel& channel = channel_of(bio);
    if (channel.pending_.size() - channel.pending_sent_ > pending_limit)
        return -1;
    const Bytes bytes = bytes_of({from, static_cast<std::size_t>(size)});
    if (channel.pending_.capacity() == 0)
        channel.pending_.swap(spare_buffer());
    channel.pending_.insert(channel.pending_.end(), bytes.begin(), bytes.end());
    return size;
}

long TlsChannel::bio_ctrl(BIO*, int command, long, void*)
{
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

MutableBytes TlsChannel::inbox()
{
    // What the handshake was given in advance has been taken by now: OpenSSL asks for input only
    // when there is none left.
    inbox_begin_ = 0;
    inbox_end_ = 0;
    if (inbox_.size() != inbox_size) {
        inbox_.resize(inbox_size);
        inbox_.shrink_to_fit();
    }
    return inbox_;
}

void TlsChannel::received(std::size_t count)
{
    inbox_end_ = count;
    drained_ = count < inbox_size;
    ended_ = count == 0;
}

Result<bool> TlsChannel::handshake()
{
    ERR_clear_error();
    receives_left_ = most_receives;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1)
        return true;
    const int ssl_error = SSL_get_error(ssl_.get(), result);
    if (ssl_error == SSL_ERROR_WANT_READ)
        return false;
    return failed("handshake", ssl_error);
}

Result<TlsChannel::Decrypted> TlsChannel::read(MutableBytes into)
{
    Decrypted decrypted;
    receives_left_ = most_receives;
    while (decrypted.count < into.size()) {
        std::size_t count = 0;
        ERR_clear_error();
        const int result = SSL_read_ex(ssl_.get(), into.data() + decrypted.count,
                                       into.size() - decrypted.count, &count);
        if (result == 1) {
            decrypted.count += count;
            if (drained_ && inbox_begin_ == inbox_end_ && SSL_has_pending(ssl_.get()) == 0)
                return decrypted;
            continue;
        }
        const int ssl_error = SSL_get_error(ssl_.get(), result);
        if (ssl_error == SSL_ERROR_WANT_READ)
            return decrypted;
        // What was decrypted comes first; OpenSSL tells the rest again when it is asked again.
        if (decrypted.count > 0)
            break;
        // Many clients leave without a close_notify. A cut-off message is noticed by its length.
        if (ssl_error == SSL_ERROR_ZERO_RETURN || (ssl_error == SSL_ERROR_SYSCALL && ended_)) {
            decrypted.finished = true;
            break;
        }
        return failed("connection", ssl_error);
    }
    decrypted.more = true;
    return decrypted;
}

Result<std::size_t> TlsChannel::encrypt(std::span<const boost::asio::const_buffer> pieces,
                                        std::size_t skip)
{
    std::array<std::byte, record_size> gathered;  // NOLINT(*-member-init): filled before it is read
    std::size_t taken = 0;
    std::size_t piece = 0;
    while (piece < pieces.size() && skip >= pieces[piece].size())
        skip -= pieces[piece++].size();

    while (piece < pieces.size() && pending_.size() - pending_sent_ < batch_size) {
        const auto* start = static_cast<const std::byte*>(pieces[piece].data()) + skip;
        std::size_t count = pieces[piece].size() - skip;
        if (count >= record_size || piece + 1 == pieces.size()) {
            count = std::min(count, batch_size);
            skip += count;
        } else {
            // Small pieces share a record: one header, one authentication tag, one send.
            count = 0;
            while (piece < pieces.size() && count < gathered.size()) {
                const std::size_t part =
                    std::min(pieces[piece].size() - skip, gathered.size() - count);
                if (part > 0)
                    std::memcpy(gathered.data() + count,
                                static_cast<const std::byte*>(pieces[piece].data()) + skip, part);
                count += part;
                skip += part;
                if (skip < pieces[piece].size())
                    break;
                skip = 0;
                ++piece;
            }
            start = gathered.data();
        }
        if (piece < pieces.size() && skip == pieces[piece].size()) {
            skip = 0;
            ++piece;
        }
        if (count == 0)
            continue;
        std::size_t written = 0;
        ERR_clear_error();
        const int result = SSL_write_ex(ssl_.get(), start, count, &written);
        if (result != 1)
            return failed("connection", SSL_get_error(ssl_.get(), result));
        taken += count;
    }
    return taken;
}

Result<bool> TlsChannel::send_pending()
{
    while (pending_sent_ < pending_.size()) {
        const ssize_t count = ::send(descriptor_, pending_.data() + pending_sent_,
                                     pending_.size() - pending_sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            pending_sent_ += static_cast<std::size_t>(count);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return false;
        broken_ = true;
        return failure(Fault::closed, "connection with " + peer_ + ": " + text_of_errno(errno));
    }
    pending_sent_ = 0;
    pending_.clear();
    if (spare_buffer().capacity() == 0)
        pending_.swap(spare_buffer());
    else
        pending_ = {};
    return true;
}

void TlsChannel::say_goodbye()
{
    if (broken_ || SSL_is_init_finished(ssl_.get()) == 0)
        return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // the answer is not waited for
    ERR_clear_error();
}

void TlsChannel::detach()
{
    descriptor_ = -1;
    broken_ = true;
}

tl::unexpected<Error> TlsChannel::failed(const char* doing, int ssl_error)
{
    broken_ = true;
    std::string detail = std::string("TLS ") + doing + " with " + peer_ + ": ";
    Fault fault = server_ ? Fault::malformed : Fault::unavailable;
    if (ssl_error == SSL_ERROR_SYSCALL || ssl_error == SSL_ERROR_ZERO_RETURN) {
        fault = server_ ? Fault::closed : Fault::unavailable;
        detail += system_error_ != 0 ? text_of_errno(system_error_)
                  : ended_           ? "the peer closed the connection"
                                     : "the connection was ended";
    } else {
        const char* reason = ERR_reason_error_string(ERR_peek_error());
        detail += reason != nullptr ? reason : "protocol error";
        const long verified = SSL_get_verify_result(ssl_.get());
        if (verified != X509_V_OK) {
            detail += std::string(": ") + X509_verify_cert_error_string(verified);
            if (server_)
                fault = Fault::unauthentic;
        }
    }
    ERR_clear_error();
    return failure(fault, std::move(detail));
}

std::optional<std::string> TlsChannel::channel_binding() const
{
    X509* certificate =
        server_ ? SSL_get_certificate(ssl_.get()) : SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr)
        return std::nullopt;
    // RFC 5929, section 4.1: the hash of the certificate's own signature, but never a weak one. A
    // signature without a single hash (Ed25519) has no such binding.
    int hash = NID_undef;
    if (X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr) != 1)
        return std::nullopt;
    const EVP_MD* algorithm =
        hash == NID_md5 || hash == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(hash);
    if (algorithm == nullptr)
        return std::nullopt;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, algorithm, digest.data(), &size) != 1)
        return std::nullopt;
    return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

std::optional<std::string> TlsChannel::client_common_name() const
{
    X509* certificate = server_ ? SSL_get0_peer_certificate(ssl_.get()) : nullptr;
    if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK)
        return std::nullopt;
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    // Two names would let each reader choose the one it likes.
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return std::nullopt;
    unsigned char* octets = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&octets, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0)
        return std::nullopt;
    std::string name(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
    OPENSSL_free(octets);
    if (name.empty() || name.find('\0') != std::string::npos)
        return std::nullopt;
    return name;
}

std::string TlsChannel::alpn() const
{
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return name == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(name), size);
}

}  // namespace sallyport
