// The journal's reader on arbitrary bytes. The first eight are the position at which they begin.
//
// Checksums stop a fuzzer at the door, so the bytes are also taken for the body of a record, and
// for a whole record whose checksum is made right.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "audit/trail/record.h"
#include "gateway/digest/digest.h"

using namespace sallyport;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

// What can be read is written again as the same bytes.
void check_round_trip(const EventRecord& record, Bytes body, Position start)
{
    const Event event = record.event();
    const EncodedRecord again(event);
    require(again.size() == record_header_size + body.size());
    std::string bytes(again.size(), '\0');
    again.write_to(std::as_writable_bytes(std::span(bytes)), start);
    require(std::memcmp(bytes.data() + record_header_size, body.data(), body.size()) == 0);
    const ReadRecord read = read_record(bytes_of(bytes), start);
    require(read.state == ReadRecord::State::whole && read.size == bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Bytes bytes = std::as_bytes(std::span(data, size));
    Position start = 0;
    if (bytes.size() < sizeof start)
        return 0;
    std::memcpy(&start, bytes.data(), sizeof start);
    start &= (std::uint64_t{1} << 62) - 1;  // a journal does not come near the end of the numbers
    bytes = bytes.subspan(sizeof start);

    std::uint64_t records = 0;
    Position last = start;
    const ScannedRecords scanned =
        scan_records(bytes, start, [&](const EventRecord& record, Position end) {
            const Bytes body =
                bytes.subspan(last - start + record_header_size, end - last - record_header_size);
            check_round_trip(record, body, last);
            last = end;
            ++records;
        });
    require(scanned.records == records && scanned.end == last);
    require(scanned.end - start + scanned.discarded <= bytes.size());

    if (const auto record = EventRecord::parse(bytes))
        check_round_trip(*record, bytes, start);
    return 0;
}
