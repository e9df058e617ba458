"""What people would pick instead, each written as its own documentation recommends.

Every peer answers GET /feed with the newest 20 posts of those whom the caller follows, for a key in
`Authorization: Bearer`, in the same shape. The runner asserts that all of them return the same posts.
"""
