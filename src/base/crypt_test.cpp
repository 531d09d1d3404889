#include "base/crypt.h"

#include <string>
#include <type_traits>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"

namespace backplane {
namespace {

constexpr Argon2Cost kCheap{256, 2, 1};

std::string Hex(const char* hex) { return FromHex(hex).value(); }

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
TEST(Crypt, UnsealsThePublishedVectors) {
  const Secret zero(std::string(kKeyBytes, '\0'));
  const std::string nonce(12, '\0');
  const auto empty = Unseal(zero, nonce + Hex("530f8afbc74536b9a963b4f1c4cb738b"), "");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->Reveal(), "");
  const auto block = Unseal(zero, nonce + Hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"), "");
  ASSERT_TRUE(block);
  EXPECT_EQ(block->Reveal(), std::string(16, '\0'));
  const Secret key(Hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const auto text = Unseal(key,
                           Hex("cafebabefacedbaddecaf888"
                               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                               "76fc6ece0f4e1768cddf8853bb2d551b"),
                           Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
  ASSERT_TRUE(text);
  EXPECT_EQ(ToHex(text->Reveal()),
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
}

TEST(Crypt, WhatWasSealedComesBack) {
  const Secret key = NewKey();
  for (const std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 4096UL, 65536UL, 1000003UL}) {
    const std::string plain = RandomBytes(size);
    const std::string sealed = Seal(key, plain, "name");
    EXPECT_EQ(sealed.size(), size + 28);
    const auto back = Unseal(key, sealed, "name");
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(back->Reveal(), plain);
  }
}

TEST(Crypt, EverySealIsAnother) {
  const Secret key = NewKey();
  EXPECT_NE(Seal(key, "text", ""), Seal(key, "text", ""));
  EXPECT_NE(NewKey().Reveal(), key.Reveal());
}

TEST(Crypt, AnyChangedByteIsNoticed) {
  const Secret key = NewKey();
  const std::string sealed = Seal(key, "a text of some length", "name");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    for (const unsigned flip : {1U, 0x80U, 0xFFU}) {
      std::string changed = sealed;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ flip);
      const auto back = Unseal(key, changed, "name");
      ASSERT_FALSE(back) << i;
      EXPECT_EQ(back.error().code, Errc::kDenied);
    }
    EXPECT_FALSE(Unseal(key, sealed.substr(0, i), "name")) << i;
  }
  EXPECT_FALSE(Unseal(key, sealed + '\0', "name"));
  EXPECT_FALSE(Unseal(key, sealed, "nam"));
  EXPECT_FALSE(Unseal(key, sealed, ""));
  EXPECT_FALSE(Unseal(NewKey(), sealed, "name"));
  EXPECT_TRUE(Unseal(key, sealed, "name"));
}

// From the test program of the reference implementation, version 0x13.
TEST(Crypt, Argon2idGivesThePublishedVectors) {
  const Secret password("password");
  const auto derived = DeriveKey(password, "somesalt", {256, 2, 1});
  ASSERT_TRUE(derived);
  EXPECT_EQ(ToHex(derived->Reveal()), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
  const auto two_lanes = DeriveKey(password, "somesalt", {256, 2, 2});
  ASSERT_TRUE(two_lanes);
  EXPECT_EQ(ToHex(two_lanes->Reveal()), "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037");
  EXPECT_TRUE(
      VerifyPassword("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", password));
}

TEST(Crypt, ADerivationIsBounded) {
  const Secret password("password");
  EXPECT_EQ(DeriveKey(password, "somesalt", {(1 << 20) + 1, 2, 1}).error().code, Errc::kInvalid);
  EXPECT_EQ(DeriveKey(password, "somesalt", {256, 101, 1}).error().code, Errc::kInvalid);
  EXPECT_EQ(DeriveKey(password, "somesalt", {256, 2, 17}).error().code, Errc::kInvalid);
  EXPECT_EQ(DeriveKey(password, "somesalt", {0, 0, 0}).error().code, Errc::kInvalid);
  EXPECT_EQ(DeriveKey(password, "short", kCheap).error().code, Errc::kInvalid);
}

TEST(Crypt, APasswordIsVerifiedByItsHash) {
  const auto hash = HashPassword(Secret("correct horse"));
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(VerifyPassword(*hash, Secret("correct horse")));
  EXPECT_FALSE(VerifyPassword(*hash, Secret("correct horsE")));
  EXPECT_FALSE(VerifyPassword(*hash, Secret("")));
  const auto again = HashPassword(Secret("correct horse"), kCheap);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->starts_with("$argon2id$v=19$m=256,t=2,p=1$")) << *again;
  EXPECT_TRUE(VerifyPassword(*again, Secret("correct horse")));
  EXPECT_NE(*HashPassword(Secret("correct horse"), kCheap), *again);
}

TEST(Crypt, WhatIsNoHashVerifiesNothing) {
  const std::string hash = HashPassword(Secret("x"), kCheap).value();
  for (const std::string& wrong : {std::string(), std::string("x"), std::string("$argon2id$"), hash.substr(1),
                                   hash.substr(0, hash.size() - 2), "$argon2i" + hash.substr(9), std::string(600, '$')})
    EXPECT_FALSE(VerifyPassword(wrong, Secret("x"))) << wrong;
}

TEST(Secret, LeavesNothingWhereItCameFrom) {
  std::string text = "a text that is longer than a short one";
  const char* const memory = text.data();
  const Secret taken = Secret::Take(text);
  EXPECT_EQ(taken.Reveal(), "a text that is longer than a short one");
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string_view(memory, 38), std::string(38, '\0'));  // still the text's own memory
  std::string short_one = "pass";
  Wipe(short_one);
  EXPECT_TRUE(short_one.empty());
  EXPECT_EQ(std::string_view(short_one.data(), 4), std::string(4, '\0'));
}

TEST(Secret, MovesWithoutACopy) {
  Secret first("text");
  const char* const memory = first.Reveal().data();
  Secret second = std::move(first);
  EXPECT_EQ(second.Reveal().data(), memory);
  Secret third("another");
  third = std::move(second);
  EXPECT_EQ(third.Reveal(), "text");
  EXPECT_EQ(third.Copy().Reveal(), "text");
  EXPECT_FALSE(std::is_copy_constructible_v<Secret>);
  EXPECT_FALSE(std::is_copy_assignable_v<Secret>);
}

TEST(Secret, CannotBePrinted) {
  EXPECT_FALSE((fmt::is_formattable<Secret>::value));
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string>));
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string_view>));
}

}  // namespace
}  // namespace backplane
