#include "audit/store/part.h"

#include <new>
#include <zstd.h>

namespace sallyport {
namespace {

// Each entry: number, size of the text, size of the payload (four octets each, little endian),
// text, payload.
constexpr std::size_t entry_head = 12;

// A part holds about 1 MiB, or one event, which the journal bounds at 64 MiB.
constexpr std::uint32_t part_size_limit = std::uint32_t{80} << 20;

// Below, zstd's own header costs more than it saves.
constexpr std::size_t worth_packing = 96;

void put_u32(char* to, std::size_t number)
{
    for (int i = 0; i < 4; ++i)
        to[i] = static_cast<char>(number >> (8 * i) & 0xFF);
}

std::uint32_t get_u32(std::string_view from)
{
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i)
        number |= std::uint32_t{static_cast<std::uint8_t>(from[i])} << (8 * i);
    return number;
}

}  // namespace

std::string_view name_of(PartClass part_class)
{
    return part_class == PartClass::identity ? "identity" : "masked";
}

void PartWriter::add(std::uint32_t number, std::string_view text, std::span<const Bytes> payload)
{
    std::size_t payload_size = 0;
    for (const Bytes piece : payload)
        payload_size += piece.size();

    char head[entry_head];
    put_u32(head, number);
    put_u32(head + 4, text.size());
    put_u32(head + 8, payload_size);
    bytes_.append(head, sizeof head);
    bytes_.append(text);
    for (const Bytes piece : payload)
        bytes_.append(text_of(piece));
}

void PartWriter::clear()
{
    constexpr std::size_t worth_keeping = 4096;
    if (bytes_.capacity() > worth_keeping)
        bytes_ = std::string();
    bytes_.clear();
}

Result<std::vector<PartEntry>> read_part(Bytes part)
{
    std::vector<PartEntry> entries;
    std::string_view rest = text_of(part);
    while (!rest.empty()) {
        if (rest.size() < entry_head)
            return failure(Fault::malformed, "the part ends inside an entry");
        PartEntry entry;
        entry.number = get_u32(rest);
        const std::size_t text_size = get_u32(rest.substr(4));
        const std::size_t payload_size = get_u32(rest.substr(8));
        rest.remove_prefix(entry_head);
        if (text_size > rest.size() || payload_size > rest.size() - text_size)
            return failure(Fault::malformed, "the part ends inside an entry");
        entry.text = rest.substr(0, text_size);
        entry.payload = rest.substr(text_size, payload_size);
        rest.remove_prefix(text_size + payload_size);
        entries.push_back(entry);
    }
    return entries;
}

void PartSealer::Free::operator()(ZSTD_CCtx_s* compressor) const
{
    ZSTD_freeCCtx(compressor);
}

PartSealer::PartSealer() : compressor_(ZSTD_createCCtx())
{
    if (!compressor_)
        throw std::bad_alloc();
}

SealedPart PartSealer::seal(Bytes part)
{
    SealedPart sealed{};
    fill_random(sealed.salt);
    sealed.commitment = hmac_sha256(sealed.salt, part);
    sealed.size = static_cast<std::uint32_t>(part.size());

    if (part.size() >= worth_packing) {
        sealed.data.resize(ZSTD_compressBound(part.size()));
        const std::size_t packed = ZSTD_compressCCtx(
            compressor_.get(), sealed.data.data(), sealed.data.size(), part.data(), part.size(), 1);
        if (ZSTD_isError(packed) == 0 && packed < part.size()) {
            sealed.codec = PartCodec::zstd;
            sealed.data.resize(packed);
            sealed.data.shrink_to_fit();
            return sealed;
        }
    }
    sealed.codec = PartCodec::raw;
    sealed.data.assign(text_of(part));
    return sealed;
}

Result<std::string> open_part(const SealedPart& sealed)
{
    std::string part;
    if (sealed.codec == PartCodec::raw) {
        part = sealed.data;
    } else if (sealed.codec == PartCodec::zstd) {
        if (sealed.size > part_size_limit)
            return failure(Fault::malformed, "the part claims " + std::to_string(sealed.size) +
                                                 " bytes, more than any part has");
        part.resize(sealed.size);
        const std::size_t size =
            ZSTD_decompress(part.data(), part.size(), sealed.data.data(), sealed.data.size());
        if (ZSTD_isError(size) != 0 || size != sealed.size)
            return failure(Fault::malformed, "the part cannot be unpacked");
    } else {
        return failure(Fault::malformed, "the part's codec is unknown to this program");
    }
    if (!equal_in_constant_time(hmac_sha256(sealed.salt, bytes_of(part)), sealed.commitment))
        return failure(Fault::malformed, "the part is not what its frame committed to");
    return part;
}

}  // namespace sallyport
