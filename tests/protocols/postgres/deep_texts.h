// Texts that nest deeply, and a small stack to read them on.

#pragma once

#include <cstddef>
#include <gtest/gtest.h>
#include <pthread.h>
#include <string>
#include <string_view>

namespace sallyport::postgres {

inline std::string repeated(std::string_view piece, int times)
{
    std::string text;
    for (int i = 0; i < times; ++i)
        text += piece;
    return text;
}

// Instrumented frames are several times as large.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::size_t small_stack = std::size_t{2} << 20;
#else
inline constexpr std::size_t small_stack = std::size_t{512} << 10;
#endif
#else
inline constexpr std::size_t small_stack = std::size_t{512} << 10;
#endif

// Runs what the name says on a stack of the given size.
inline void on_stack(std::size_t bytes, void (*work)())
{
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_attr_init(&attributes), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
    pthread_t thread{};
    const auto run = [](void* argument) -> void* {
        reinterpret_cast<void (*)()>(argument)();
        return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(work)), 0);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
    ASSERT_EQ(pthread_attr_destroy(&attributes), 0);
}

}  // namespace sallyport::postgres
